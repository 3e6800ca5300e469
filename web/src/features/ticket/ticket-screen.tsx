/** One conversation: what was written on the left, what Gaby found on the right. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { strings } from '../../strings';
import { useKeys } from '../../ui/keys';
import { useTitle } from '../../ui/screen';
import { Failure, Skeleton } from '../../ui/states';
import type { TicketView } from '../../api/types';
import { useCanDecide } from '../session/queries';
import { useOpenCitation } from './citation-link';
import { CitationPanel } from './citation-panel';
import { Composer, type Writing } from './composer';
import { Conversation } from './conversation';
import { InvestigationPanel } from './investigation-panel';
import { ticketQuery, useSetState } from './queries';
import { TicketHeader } from './ticket-header';

export function TicketScreen({ id }: { id: string }) {
  const ticket = useQuery(ticketQuery(id));
  if (ticket.data) return <Opened view={ticket.data} />;
  if (ticket.error) return <Failure what={strings.ticket.failed} error={ticket.error} retry={() => void ticket.refetch()} />;
  return <Skeleton lines={5} className="max-w-2xl" />;
}

type Pane = 'conversation' | 'investigation';

function Opened({ view }: { view: TicketView }) {
  const { ticket, investigation } = view;
  const [pane, setPane] = useState<Pane>('conversation');
  const [panel, setPanel] = useState(true);
  const [writing, setWriting] = useState<Writing | null>(null);
  const citation = useOpenCitation();
  const setState = useSetState(ticket.id);
  const canDecide = useCanDecide();
  useTitle(ticket.subject || strings.inbox.noSubject);

  const write = (what: Writing) => {
    setPane('conversation');
    setWriting(what);
  };
  useKeys({
    '.': () => setPanel((shown) => !shown),
    ...Object.fromEntries(
      (investigation?.evidence ?? []).filter(({ number }) => number < 10).map(({ number }) => [String(number), () => citation.show(number)]),
    ),
  });
  useKeys(
    {
      r: () => write('agent'),
      n: () => write('note'),
      e: () => ticket.state !== 'escalated' && setState.mutate('escalated'),
      x: () => ticket.state !== 'resolved' && setState.mutate('resolved'),
    },
    canDecide,
  );

  const waiting = view.actions.filter((action) => action.state === 'proposed').length;
  const cited = citation.open === undefined ? undefined : investigation?.evidence.find(({ number }) => number === citation.open);
  return (
    <div className="flex h-full flex-col bg-surface">
      <TicketHeader view={view} panel={panel} onPanel={() => setPanel(!panel)} onWrite={write} setState={setState} />
      <Panes pane={pane} waiting={waiting} onChange={setPane} />
      <div className="flex min-h-0 flex-1">
        <div className={`min-h-0 min-w-0 flex-1 flex-col roomy:flex ${pane === 'conversation' ? 'flex' : 'hidden'}`}>
          <Conversation view={view} />
          <Composer ticket={ticket} writing={writing} onWriting={setWriting} />
        </div>
        <section
          aria-label={strings.ticket.investigation}
          className={`min-h-0 overflow-y-auto border-line bg-canvas ${pane === 'investigation' ? 'block flex-1' : 'hidden'} roomy:w-[25rem] roomy:flex-none roomy:border-l ${panel ? 'roomy:block' : 'roomy:hidden'}`}
        >
          <InvestigationPanel view={view} />
        </section>
      </div>
      {citation.open !== undefined && investigation && (
        <CitationPanel
          key={citation.open}
          number={citation.open}
          evidence={cited}
          citations={investigation.citations ?? []}
          onClose={() => citation.show(undefined)}
        />
      )}
    </div>
  );
}

/** Chooses between conversation and investigation where both do not fit. */
function Panes({ pane, waiting, onChange }: { pane: Pane; waiting: number; onChange: (pane: Pane) => void }) {
  return (
    <div role="group" aria-label={strings.frame.rail} className="grid grid-cols-2 border-b border-line roomy:hidden">
      {(['conversation', 'investigation'] as const).map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={pane === one}
          onClick={() => onChange(one)}
          className={`h-10 border-b-2 text-sm font-medium ${pane === one ? 'border-accent text-accent-strong' : 'border-transparent text-soft'}`}
        >
          {strings.ticket[one]}
          {one === 'investigation' && waiting > 0 && (
            <span title={strings.frame.waiting(waiting)} className="ml-1.5 inline-grid h-4.5 min-w-4.5 place-items-center rounded-full bg-warn-soft px-1 text-xs text-warn">
              {waiting}
            </span>
          )}
        </button>
      ))}
    </div>
  );
}
