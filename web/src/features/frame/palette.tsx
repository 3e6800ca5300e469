/** Goes anywhere: screens, tickets and a search of the knowledge base, by typing. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { BookOpenText, LogOut, MessageSquareText, Search, type LucideIcon } from 'lucide-react';
import { useDeferredValue, useId, useState } from 'react';
import { useNavigate } from 'react-router';
import { strings } from '../../strings';
import { Dialog } from '../../ui/dialog';
import { ticketsQuery } from '../inbox/queries';
import { useSignOut } from '../session/queries';
import { SCREENS } from './screens';

type Choice = { id: string; group: string; label: string; hint?: string; icon: LucideIcon; go: () => void };
const MOST_TICKETS = 8;
const p = strings.palette;

export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const id = useId();
  const choices = useChoices(text.trim(), onClose);
  const current = Math.min(at, choices.length - 1);
  const active = choices[current];

  return (
    <Dialog label={p.label} onClose={onClose} className="mt-[12dvh] w-[min(36rem,calc(100vw-2rem))]">
      <div className="flex items-center gap-3 border-b border-line px-4">
        <Search aria-hidden className="size-4.5 shrink-0 text-faint" />
        <input
          // The palette is opened to type into it.
          // eslint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
          role="combobox"
          aria-label={p.label}
          aria-expanded
          aria-controls={`${id}-list`}
          aria-activedescendant={active && `${id}-${active.id}`}
          placeholder={p.placeholder}
          value={text}
          className="h-12 min-w-0 flex-1 bg-transparent text-lg outline-none placeholder:text-faint"
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown') setAt(Math.min(choices.length - 1, current + 1));
            else if (event.key === 'ArrowUp') setAt(Math.max(0, current - 1));
            else if (event.key === 'Enter') active?.go();
            else return;
            event.preventDefault();
          }}
        />
      </div>
      <div id={`${id}-list`} role="listbox" aria-label={p.label} className="max-h-[55dvh] overflow-y-auto p-2">
        {choices.length === 0 && <p className="px-3 py-6 text-center text-sm text-soft">{p.nothing}</p>}
        {choices.map((choice, index) => (
          <Row
            key={choice.id}
            id={`${id}-${choice.id}`}
            choice={choice}
            active={index === current}
            heading={choices[index - 1]?.group !== choice.group ? choice.group : undefined}
          />
        ))}
      </div>
    </Dialog>
  );
}

function Row({ id, choice, active, heading }: { id: string; choice: Choice; active: boolean; heading: string | undefined }) {
  const Icon = choice.icon;
  return (
    <>
      {heading && (
        <p role="presentation" className="px-3 pt-2 pb-1 text-xs font-semibold text-faint">
          {heading}
        </p>
      )}
      {/* The keys are handled where the focus is: in the field above. */}
      {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events */}
      <div
        id={id}
        role="option"
        aria-selected={active}
        tabIndex={-1}
        ref={(row) => {
          if (active) row?.scrollIntoView({ block: 'nearest' });
        }}
        onClick={choice.go}
        className={`flex cursor-pointer items-center gap-3 rounded-lg px-3 py-2 ${active ? 'bg-accent-soft' : 'hover:bg-hover'}`}
      >
        <Icon aria-hidden className="size-4.5 shrink-0 text-soft" strokeWidth={1.75} />
        <span className="min-w-0 flex-1 truncate">{choice.label}</span>
        {choice.hint && <span className="max-w-40 truncate text-sm text-soft">{choice.hint}</span>}
      </div>
    </>
  );
}

function useChoices(text: string, onClose: () => void): Choice[] {
  const navigate = useNavigate();
  const signOut = useSignOut();
  const tickets = useQuery({ ...ticketsQuery({ q: useDeferredValue(text) }), placeholderData: keepPreviousData }).data?.items ?? [];
  const go = (to: string) => () => {
    onClose();
    void navigate(to);
  };
  const matches = (label: string) => label.toLowerCase().includes(text.toLowerCase());
  const choices: Choice[] = SCREENS.filter((screen) => matches(screen.label)).map((screen) => ({
    id: screen.to.slice(1),
    group: p.screens,
    label: screen.label,
    icon: screen.icon,
    go: go(screen.to),
  }));
  for (const ticket of tickets.slice(0, MOST_TICKETS)) {
    choices.push({
      id: ticket.id,
      group: p.tickets,
      label: ticket.subject || strings.inbox.noSubject,
      hint: ticket.requester?.name ?? ticket.requester?.email ?? '',
      icon: MessageSquareText,
      go: go(`/inbox/${ticket.id}`),
    });
  }
  if (text) {
    choices.push({
      id: 'knowledge-search',
      group: strings.frame.knowledge,
      label: p.knowledge(text),
      icon: BookOpenText,
      go: go(`/knowledge?q=${encodeURIComponent(text)}`),
    });
  }
  if (matches(strings.frame.signOut)) {
    choices.push({ id: 'sign-out', group: p.account, label: strings.frame.signOut, icon: LogOut, go: () => signOut.mutate() });
  }
  return choices;
}
