import { ShieldCheck } from 'lucide-react';
import { Link } from 'react-router';
import type { TicketSummary } from '../../api/types';
import { strings } from '../../strings';
import { Badge, Dot } from '../../ui/badge';
import { Moment } from '../../ui/time';
import { isAnswered, isPressing, stateTone } from './look';
import { SlaClock } from './sla-clock';

const s = strings.inbox;

export function TicketRow({ ticket, open, search }: { ticket: TicketSummary; open: boolean; search: string }) {
  const who = ticket.requester?.name ?? ticket.requester?.email ?? s.unknownRequester;
  return (
    <Link
      to={{ pathname: `/inbox/${ticket.id}`, search }}
      data-row=""
      aria-current={open ? 'true' : undefined}
      className={`flex flex-col border-b border-line px-4 py-2.5 outline-offset-[-2px] transition-colors ${open ? 'bg-accent-soft' : 'hover:bg-hover'}`}
    >
      <span className="flex items-baseline gap-2">
        <span className="min-w-0 flex-1 truncate text-sm text-soft">{who}</span>
        <Moment at={ticket.updated_at} className="text-xs text-faint" />
      </span>
      <span className="flex items-center gap-1.5">
        {isPressing(ticket.priority) && <Badge tone={ticket.priority === 'urgent' ? 'bad' : 'warn'}>{strings.priority[ticket.priority]}</Badge>}
        <span className="min-w-0 truncate font-medium">{ticket.subject || s.noSubject}</span>
      </span>
      <span className="truncate text-sm text-faint">{ticket.preview}</span>
      <span className="mt-1 flex items-center gap-x-2.5 text-xs whitespace-nowrap text-soft">
        <span className="inline-flex items-center gap-1.5 font-medium">
          <Dot tone={stateTone[ticket.state]} alive={ticket.state === 'investigating'} />
          {strings.ticketState[ticket.state]}
        </span>
        {ticket.confidence != null && isAnswered(ticket.verdict) && <span>{s.confidence(ticket.confidence)}</span>}
        <span className="min-w-0 flex-1 truncate text-faint">{ticket.source}</span>
        {ticket.pending_actions > (ticket.state === 'waiting_for_approval' ? 1 : 0) && (
          <span title={s.pending(ticket.pending_actions)} className="inline-flex items-center gap-1 text-warn">
            <ShieldCheck aria-hidden className="size-3.5" />
            <span aria-hidden>{ticket.pending_actions}</span>
            <span className="sr-only">{s.pending(ticket.pending_actions)}</span>
          </span>
        )}
        <SlaClock deadline={ticket.sla_deadline} state={ticket.state} compact />
      </span>
    </Link>
  );
}
