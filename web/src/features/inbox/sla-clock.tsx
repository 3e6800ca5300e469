import { Clock } from 'lucide-react';
import type { TicketState } from '../../api/types';
import { strings } from '../../strings';
import { exact, span, useNow } from '../../ui/time';

const SOON_MS = 60 * 60 * 1000;

type Props = { deadline: string | null | undefined; state: TicketState; compact?: boolean };

/** How long is left until an answer is due; nothing once it was given. `compact` shows the figure alone. */
export function SlaClock({ deadline, state, compact = false }: Props) {
  const now = useNow();
  if (!deadline || state === 'resolved') return null;
  const left = Date.parse(deadline) - now;
  const tone = left < 0 ? 'text-bad' : left < SOON_MS ? 'text-warn' : 'text-faint';
  const words = left < 0 ? strings.time.overdue(span(left)) : strings.time.dueIn(span(left));
  return (
    <span title={`${words} · ${exact(deadline)}`} className={`inline-flex items-center gap-1 text-xs font-medium whitespace-nowrap ${tone}`}>
      <Clock aria-hidden className="size-3.5" />
      {compact ? (
        <>
          <span aria-hidden>{left < 0 ? `−${span(left)}` : span(left)}</span>
          <span className="sr-only">{words}</span>
        </>
      ) : (
        words
      )}
    </span>
  );
}
