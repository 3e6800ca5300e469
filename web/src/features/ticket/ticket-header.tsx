import { ArrowLeft, BadgeCheck, CheckCheck, Flag, PanelRight, RefreshCw, StickyNote } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'react-router';
import type { TicketView } from '../../api/types';
import { strings } from '../../strings';
import { Badge, Dot } from '../../ui/badge';
import { Button, IconButton } from '../../ui/button';
import { Problem } from '../../ui/states';
import { isPressing, stateTone } from '../inbox/look';
import { SlaClock } from '../inbox/sla-clock';
import { useCanDecide } from '../session/queries';
import type { Writing } from './composer';
import { useInvestigateAgain, type useSetState } from './queries';

const s = strings.ticket;

type Props = {
  view: TicketView;
  panel: boolean;
  onPanel: () => void;
  onWrite: (what: Writing) => void;
  setState: ReturnType<typeof useSetState>;
};

export function TicketHeader({ view, panel, onPanel, onWrite, setState }: Props) {
  const { ticket } = view;
  const { search } = useLocation();
  const canDecide = useCanDecide();
  const again = useInvestigateAgain(ticket.id);
  const closed = ticket.state === 'resolved';
  const busy = ticket.state === 'investigating' || again.isPending;

  return (
    <header className="flex flex-col gap-1.5 border-b border-line px-4 py-3 desk:px-5">
      <div className="flex items-start gap-2">
        <Link to={{ pathname: '/inbox', search }} aria-label={strings.back} className="-ml-1 grid size-8 place-items-center rounded-lg hover:bg-hover desk:hidden">
          <ArrowLeft aria-hidden className="size-5" />
        </Link>
        <h1 className="min-w-0 flex-1 pt-0.5 text-lg font-semibold tracking-tight [overflow-wrap:anywhere]">
          {ticket.subject || strings.inbox.noSubject}
        </h1>
        <div className="flex items-center gap-1">
          {canDecide && (
            <>
              <Optional>
                <IconButton label={`${s.note} (n)`} onClick={() => onWrite('note')}>
                  <StickyNote aria-hidden className="size-4.5" strokeWidth={1.75} />
                </IconButton>
              </Optional>
              <Optional>
                <IconButton label={s.rerunHint} disabled={busy} onClick={() => again.mutate('deep')}>
                  <RefreshCw aria-hidden className="size-4.5" strokeWidth={1.75} />
                </IconButton>
              </Optional>
              {ticket.state !== 'escalated' && (
                <IconButton label={`${s.escalate} (e)`} disabled={setState.isPending} onClick={() => setState.mutate('escalated')}>
                  <Flag aria-hidden className="size-4.5" strokeWidth={1.75} />
                </IconButton>
              )}
              <Button
                size="small"
                disabled={setState.isPending}
                hint={closed ? undefined : 'x'}
                onClick={() => setState.mutate(closed ? 'reopened' : 'resolved')}
              >
                <CheckCheck aria-hidden className="size-4" />
                {closed ? s.reopen : s.resolve}
              </Button>
            </>
          )}
          <IconButton label={`${panel ? s.hidePanel : s.showPanel} (.)`} aria-pressed={panel} className="hidden roomy:grid" onClick={onPanel}>
            <PanelRight aria-hidden className="size-4.5" strokeWidth={1.75} />
          </IconButton>
        </div>
      </div>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-soft">
        <Badge tone={stateTone[ticket.state]}>
          <Dot tone={stateTone[ticket.state]} alive={ticket.state === 'investigating'} />
          {strings.ticketState[ticket.state]}
        </Badge>
        {isPressing(ticket.priority) && <Badge tone="warn">{strings.priority[ticket.priority]}</Badge>}
        <Who view={view} />
        <span className="text-faint">{s.via(ticket.source)}</span>
        <SlaClock deadline={ticket.sla_deadline} state={ticket.state} />
      </div>
      <Problem error={setState.error ?? again.error} />
    </header>
  );
}

/** What a phone's header has no room for. */
function Optional({ children }: { children: ReactNode }) {
  return <div className="hidden desk:block">{children}</div>;
}

function Who({ view }: { view: TicketView }) {
  const who = view.ticket.requester;
  if (!who) return null;
  return (
    <span className="inline-flex min-w-0 items-center gap-1.5">
      <span className="truncate">
        {who.name ?? who.email ?? strings.inbox.unknownRequester}
        {who.name && who.email && <span className="text-faint"> {who.email}</span>}
      </span>
      {who.verified && (
        <span title={s.verified}>
          <BadgeCheck aria-hidden className="size-4 text-ok" />
          <span className="sr-only">{s.verified}</span>
        </span>
      )}
    </span>
  );
}
