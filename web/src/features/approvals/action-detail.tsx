/** Everything a person needs to say yes or no. */
import { useQuery } from '@tanstack/react-query';
import { ArrowLeft, Pencil, Repeat, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { Link, useLocation } from 'react-router';
import type { ActionView } from '../../api/types';
import { strings } from '../../strings';
import { Badge, Dot } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Data } from '../../ui/json';
import { Meter } from '../../ui/meter';
import { Label, useTitle } from '../../ui/screen';
import { Failure, Skeleton } from '../../ui/states';
import { useCanDecide } from '../session/queries';
import { Arguments } from './arguments';
import { Decision } from './decision';
import { Expiry } from './expiry';
import { actionTone, isRunning, riskTone } from './look';
import { Allow } from './allow';
import { Edit } from './edit';
import { Outcome, Reasons } from './outcome';
import { actionQuery } from './queries';
import { visibleData } from './visible';
import { Changes, Kin, Reach, RiskParts, Sources } from './weighing';

const s = strings.action;

export function ActionDetail({ id }: { id: string }) {
  const action = useQuery(actionQuery(id));
  if (action.data) return <Detail action={action.data} />;
  if (action.error) return <Failure what={s.failed} error={action.error} retry={() => void action.refetch()} />;
  return <Skeleton lines={4} className="max-w-2xl" />;
}

function Detail({ action }: { action: ActionView }) {
  const { search } = useLocation();
  useTitle(action.summary);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="h-full overflow-y-auto bg-surface outline-offset-[-2px]" tabIndex={0} role="region" aria-label={action.summary}>
      <article className="mx-auto flex max-w-2xl flex-col gap-5 px-4 pt-5 desk:px-8 desk:pt-7">
        <header className="flex flex-col gap-2">
          <Link to={{ pathname: '/approvals', search }} aria-label={strings.back} className="-ml-1 grid size-8 place-items-center rounded-lg hover:bg-hover desk:hidden">
            <ArrowLeft aria-hidden className="size-5" />
          </Link>
          <div className="flex flex-wrap items-center gap-2">
            <Badge tone={actionTone[action.state]}>
              <Dot tone={actionTone[action.state]} alive={isRunning(action.state)} />
              {strings.actionState[action.state]}
            </Badge>
            <Badge tone={action.undoable ? 'neutral' : 'warn'}>
              {action.undoable && <Undo2 aria-hidden className="size-3" />}
              {action.undoable ? s.undoable : s.notUndoable}
            </Badge>
            <Expiry action={action} />
          </div>
          <h1 className="text-xl font-semibold tracking-tight [overflow-wrap:anywhere]">{action.summary}</h1>
          <p className="text-sm text-soft">
            {strings.approvals.forTicket}{' '}
            <Link to={`/inbox/${action.ticket}`} className="text-accent-strong underline underline-offset-2">
              {action.ticket_subject || strings.inbox.noSubject}
            </Link>
            <span className="font-mono text-xs text-faint">
              {' '}
              · {action.call.tool.connector} · {action.call.tool.tool}
            </span>
          </p>
        </header>
        <Arguments value={action.display.arguments} warnings={action.display.warnings} />
        <Sources sources={action.sources} />
        <Reach action={action} />
        <Changes changes={action.weighing?.changes ?? []} />
        {action.state_before != null && (action.weighing?.changes ?? []).length === 0 && (
          <section className="flex flex-col gap-1.5">
            <Label>{s.before}</Label>
            <div className="rounded-lg border border-line bg-canvas p-3">
              <Data value={visibleData(action.state_before)} label={s.before} />
            </div>
          </section>
        )}
        <Reasons action={action} />
        <section className="flex flex-col gap-1.5">
          <Label>{s.risk}</Label>
          <div className="flex items-center gap-3">
            <Meter value={action.risk / 100} tone={riskTone(action.risk)} label={s.risk} className="w-40" />
            <span className="text-sm">{action.risk} / 100</span>
          </div>
          <RiskParts action={action} />
        </section>
        <Outcome action={action} />
        <Kin action={action} />
        <footer className="sticky bottom-0 -mx-4 flex flex-col gap-2 border-t border-line bg-surface px-4 py-4 desk:-mx-8 desk:px-8">
          <Decide key={action.id} action={action} />
          <p className="text-xs text-faint">
            {action.state === 'proposed' && `${s.hashHint} `}
            <span title={action.decision_hash} className="font-mono">
              {s.hash} {action.decision_hash.slice(0, 12)}
            </span>
          </p>
        </footer>
      </article>
    </div>
  );
}

/** The decision on exactly this, and beside it: other arguments, or a yes in advance to the like. */
function Decide({ action }: { action: ActionView }) {
  const canDecide = useCanDecide();
  const [beside, setBeside] = useState<'edit' | 'allow' | undefined>();
  if (action.state !== 'proposed' || !canDecide) return <Decision action={action} withKeys />;
  if (beside === 'edit') return <Edit action={action} onDone={() => setBeside(undefined)} />;
  return (
    <div className="flex flex-col gap-3">
      <Decision action={action} withKeys />
      {beside === 'allow' ? (
        <Allow action={action} onDone={() => setBeside(undefined)} />
      ) : (
        <div className="flex flex-wrap gap-2">
          <Button look="quiet" size="small" onClick={() => setBeside('edit')}>
            <Pencil aria-hidden className="size-3.5" />
            {s.edit}
          </Button>
          <Button look="quiet" size="small" onClick={() => setBeside('allow')}>
            <Repeat aria-hidden className="size-3.5" />
            {s.allow}
          </Button>
        </div>
      )}
    </div>
  );
}
