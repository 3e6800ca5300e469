import { Clock } from 'lucide-react';
import type { TicketState } from '../../api/types';
import { strings } from '../../strings';
import { exact, span, useNow } from '../../ui/time';

const SOON_MS = 60 * 60 * 1000;

/** How long is left until an answer is due; nothing once it was given. */
export function SlaClock({ deadline, state }: { deadline: string | null | undefined; state: TicketState }) {
  const now = useNow();
  if (!deadline || state === 'resolved') return null;
  const left = Date.parse(deadline) - now;
  const tone = left < 0 ? 'text-bad' : left < SOON_MS ? 'text-warn' : 'text-faint';
  return (
    <span title={exact(deadline)} className={`inline-flex items-center gap-1 text-xs font-medium whitespace-nowrap ${tone}`}>
      <Clock aria-hidden className="size-3.5" />
      {left < 0 ? strings.time.overdue(span(left)) : strings.time.dueIn(span(left))}
    </span>
  );
}
