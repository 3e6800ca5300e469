import { StickyNote } from 'lucide-react';
import { useEffect, useRef, type ReactNode } from 'react';
import type { Evidence, Message, TicketView } from '../../api/types';
import { strings } from '../../strings';
import { Dot } from '../../ui/badge';
import { Mark } from '../../ui/mark';
import { Markdown } from '../../ui/markdown/markdown';
import { Moment } from '../../ui/time';
import { CitationLink } from './citation-link';
import { withMarkers } from './citations';

const s = strings.ticket;

export function Conversation({ view }: { view: TicketView }) {
  const end = useRef<HTMLDivElement>(null);
  const count = view.messages.length;
  const seen = useRef(count);
  useEffect(() => {
    // Only what the work added is scrolled to; opening a ticket begins at its beginning.
    if (count > seen.current) end.current?.scrollIntoView({ block: 'nearest' });
    seen.current = count;
  }, [count]);

  const running = view.investigation && view.investigation.state !== 'done';
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label={s.conversation}>
      <ol className="mx-auto flex max-w-2xl flex-col gap-5 px-4 py-5 desk:px-6">
        {count === 0 && <li className="text-soft">{s.noMessages}</li>}
        {view.messages.map((message) => (
          <li key={message.id}>
            <Turn message={message} view={view} />
          </li>
        ))}
        {running && view.investigation && (
          <li>
            <p role="status" className="flex items-center gap-2.5 text-sm text-soft">
              <Mark className="size-7" />
              <Dot tone="accent" alive />
              {strings.stage[view.investigation.state]}…
            </p>
          </li>
        )}
      </ol>
      <div ref={end} />
    </div>
  );
}

function Turn({ message, view }: { message: Message; view: TicketView }) {
  const evidence = view.investigation?.evidence ?? [];
  switch (message.author) {
    case 'requester': {
      const who = view.ticket.requester?.name ?? view.ticket.requester?.email ?? strings.inbox.unknownRequester;
      return (
        <Bubble who={who} face={<Initial name={who} />} at={message.created_at} look="bg-sunken">
          <p className="[overflow-wrap:anywhere] whitespace-pre-wrap">{message.body}</p>
        </Bubble>
      );
    }
    case 'gaby':
      return (
        <Bubble who={s.authorGaby} face={<Mark className="size-7" />} at={message.created_at} look="bg-accent-soft">
          <Cited body={message.body} citations={message.citations ?? []} evidence={evidence} />
        </Bubble>
      );
    case 'agent':
      return (
        <Bubble who={s.authorAgent} face={<Initial name={s.authorAgent} />} at={message.created_at} look="border border-line">
          <Markdown source={message.body} />
        </Bubble>
      );
    case 'note':
      return (
        <Bubble
          who={s.authorNote}
          face={
            <span className="grid size-7 place-items-center rounded-full bg-warn-soft text-warn">
              <StickyNote aria-hidden className="size-4" />
            </span>
          }
          at={message.created_at}
          look="bg-warn-soft/60"
        >
          <Cited body={message.body} citations={message.citations ?? []} evidence={evidence} />
        </Bubble>
      );
  }
}

/** A text of Gaby's, with its numbers as buttons that open what they rest on. */
export function Cited({ body, citations, evidence }: { body: string; citations: Message['citations'] & {}; evidence: Evidence[] }) {
  const known = new Map(evidence.map((one) => [one.number, one]));
  return (
    <Markdown
      source={withMarkers(body, citations)}
      citation={(number, key) =>
        known.has(number) || citations.some((citation) => citation.number === number) ? (
          <CitationLink key={key} number={number} evidence={known.get(number)} />
        ) : (
          <span key={key}>[{number}]</span>
        )
      }
    />
  );
}

function Bubble({ who, face, at, look, children }: { who: string; face: ReactNode; at: string; look: string; children: ReactNode }) {
  return (
    <article className="flex flex-col gap-1.5">
      <header className="flex items-center gap-2 text-sm">
        {face}
        <span className="min-w-0 truncate font-medium">{who}</span>
        <Moment at={at} className="text-xs text-faint" />
      </header>
      <div className={`rounded-xl px-4 py-3 desk:ml-9 ${look}`}>{children}</div>
    </article>
  );
}

function Initial({ name }: { name: string }) {
  return (
    <span aria-hidden className="grid size-7 shrink-0 place-items-center rounded-full bg-sunken text-xs font-semibold text-soft uppercase">
      {Array.from(name)[0]}
    </span>
  );
}
