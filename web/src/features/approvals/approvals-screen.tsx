/** The actions that wait for a person, and what became of earlier ones. */
import { useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import type { ActionView } from '../../api/types';
import { strings } from '../../strings';
import { Badge, Dot } from '../../ui/badge';
import { useRowKeys } from '../../ui/keys';
import { useTitle } from '../../ui/screen';
import { RowKeys } from '../../ui/row-keys';
import { Empty, Failure, Skeleton } from '../../ui/states';
import { Moment } from '../../ui/time';
import { ActionDetail } from './action-detail';
import { Expiry } from './expiry';
import { actionTone, riskTone } from './look';
import { allActionsQuery, waitingActionsQuery } from './queries';
import { Standing } from './standing';

const s = strings.approvals;

export function ApprovalsScreen() {
  const { action } = useParams();
  return (
    <div className="flex h-full">
      <section
        aria-label={s.title}
        className={`min-h-0 w-full shrink-0 flex-col border-line bg-canvas desk:flex desk:border-r desk:w-[21.25rem] ${action ? 'hidden' : 'flex'}`}
      >
        <List open={action} />
      </section>
      <div className={`min-h-0 min-w-0 flex-1 ${action ? 'block' : 'hidden desk:block'}`}>
        {action ? <ActionDetail key={action} id={action} /> : <NothingOpen />}
      </div>
    </div>
  );
}

function NothingOpen() {
  useTitle(s.title);
  return (
    <Empty title={s.pick} hint={s.pickHint}>
      <RowKeys />
    </Empty>
  );
}

function List({ open }: { open: string | undefined }) {
  const [search, setSearch] = useSearchParams();
  const earlier = search.get('show') === 'earlier';
  const actions = useQuery(earlier ? allActionsQuery : waitingActionsQuery);
  const waiting = useQuery(waitingActionsQuery).data?.items.length;
  const list = useRef<HTMLUListElement>(null);
  useRowKeys(list);
  const rows = (actions.data?.items ?? []).filter((action) => !earlier || action.state !== 'proposed');

  return (
    <>
      <header className="flex flex-col gap-2.5 px-4 pt-4 pb-3">
        <h1 className="text-xl font-semibold tracking-tight">{s.title}</h1>
        <div role="group" aria-label={s.title} className="flex gap-1">
          <Tab pressed={!earlier} onClick={() => setSearch({}, { replace: true })}>
            {s.waiting} {waiting !== undefined && <span>{waiting}</span>}
          </Tab>
          <Tab pressed={earlier} onClick={() => setSearch({ show: 'earlier' }, { replace: true })}>
            {s.earlier}
          </Tab>
        </div>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto border-t border-line">
        {!earlier && <Standing />}
        {actions.isPending ? (
          <Skeleton />
        ) : actions.error && rows.length === 0 ? (
          <Failure what={s.failed} error={actions.error} retry={() => void actions.refetch()} />
        ) : rows.length === 0 ? (
          <Empty title={earlier ? s.noEarlier : s.empty} hint={earlier ? s.noEarlierHint : s.emptyHint} />
        ) : (
          <ul ref={list}>
            {rows.map((action) => (
              <li key={action.id}>
                <Row action={action} open={action.id === open} search={search.toString()} />
              </li>
            ))}
          </ul>
        )}
      </div>
    </>
  );
}

function Row({ action, open, search }: { action: ActionView; open: boolean; search: string }) {
  return (
    <Link
      to={{ pathname: `/approvals/${action.id}`, search }}
      data-row=""
      aria-current={open ? 'true' : undefined}
      className={`flex flex-col gap-1 border-b border-line px-4 py-3 outline-offset-[-2px] transition-colors ${open ? 'bg-accent-soft' : 'hover:bg-hover'}`}
    >
      <span className="flex items-baseline gap-2">
        <span className="min-w-0 flex-1 truncate font-mono text-xs text-soft">{action.call.tool.tool}</span>
        <Moment at={action.created_at} className="text-xs text-faint" />
      </span>
      <span className="line-clamp-2 font-medium">{action.summary}</span>
      <span className="truncate text-sm text-faint">{action.ticket_subject}</span>
      <span className="mt-1 flex flex-wrap items-center gap-2">
        {action.state !== 'proposed' && (
          <Badge tone={actionTone[action.state]}>
            <Dot tone={actionTone[action.state]} />
            {strings.actionState[action.state]}
          </Badge>
        )}
        <Badge tone={riskTone(action.risk)}>{strings.action.riskOf(action.risk)}</Badge>
        <Expiry action={action} />
      </span>
    </Link>
  );
}

function Tab({ pressed, onClick, children }: { pressed: boolean; onClick: () => void; children: React.ReactNode }) {
  return (
    <button
      type="button"
      aria-pressed={pressed}
      onClick={onClick}
      className={`h-7 rounded-lg px-2.5 text-sm font-medium ${pressed ? 'bg-accent-soft text-accent-strong' : 'text-soft hover:bg-hover'}`}
    >
      {children}
    </button>
  );
}
