import type { TicketState } from '../../api/types';
import { strings } from '../../strings';
import { TICKET_STATES } from './look';

type Props = { counts: Record<string, number>; chosen: TicketState | undefined; onChoose: (state: TicketState | undefined) => void };

/** One button per state in which tickets stand, with how many. */
export function StateFilter({ counts, chosen, onChoose }: Props) {
  const all = Object.values(counts).reduce((sum, n) => sum + n, 0);
  const states = TICKET_STATES.filter((state) => (counts[state] ?? 0) > 0 || state === chosen);
  return (
    <div role="group" aria-label={strings.inbox.filter} className="flex flex-wrap gap-1">
      <Chip label={strings.inbox.all} count={all} pressed={!chosen} onClick={() => onChoose(undefined)} />
      {states.map((state) => (
        <Chip
          key={state}
          label={strings.ticketState[state]}
          count={counts[state] ?? 0}
          pressed={chosen === state}
          onClick={() => onChoose(chosen === state ? undefined : state)}
        />
      ))}
    </div>
  );
}

function Chip({ label, count, pressed, onClick }: { label: string; count: number; pressed: boolean; onClick: () => void }) {
  return (
    <button
      type="button"
      aria-pressed={pressed}
      onClick={onClick}
      className={`inline-flex h-6.5 items-center gap-1.5 rounded-full border px-2.5 text-xs font-medium transition-colors ${
        pressed ? 'border-transparent bg-accent-soft text-accent-strong' : 'border-line bg-surface text-soft hover:bg-hover'
      }`}
    >
      {label}
      <span className={pressed ? '' : 'text-faint'}>{count}</span>
    </button>
  );
}
