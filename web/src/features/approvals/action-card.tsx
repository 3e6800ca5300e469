/** An action within its ticket: what, with which arguments, why, and the decision. */
import { useQuery } from '@tanstack/react-query';
import type { Action } from '../../api/types';
import { strings } from '../../strings';
import { Badge, Dot } from '../../ui/badge';
import { Arguments } from './arguments';
import { Decision } from './decision';
import { Expiry } from './expiry';
import { actionTone, isRunning, riskTone } from './look';
import { Outcome, Reasons } from './outcome';
import { actionQuery } from './queries';

const s = strings.action;

export function ActionCard({ action }: { action: Action }) {
  const open = action.state === 'proposed';
  // The server says what in the arguments a reader could miss; only a decision needs to know it.
  const view = useQuery({ ...actionQuery(action.id), enabled: open });
  return (
    <article aria-label={action.summary} className={`flex flex-col gap-3 rounded-xl border bg-surface p-4 ${open ? 'border-warn/45' : 'border-line'}`}>
      <header className="flex flex-col gap-1.5">
        <div className="flex flex-wrap items-center gap-2">
          <Badge tone={actionTone[action.state]}>
            <Dot tone={actionTone[action.state]} alive={isRunning(action.state)} />
            {strings.actionState[action.state]}
          </Badge>
          <Badge tone={riskTone(action.risk)}>{s.riskOf(action.risk)}</Badge>
          <span className="ml-auto">
            <Expiry action={action} />
          </span>
        </div>
        <h4 className="font-semibold [overflow-wrap:anywhere]">{action.summary}</h4>
        <p className="font-mono text-xs [overflow-wrap:anywhere] text-faint">
          {action.call.tool.connector} · {action.call.tool.tool}
        </p>
      </header>
      <Arguments value={action.call.arguments} warnings={view.data?.display.warnings ?? []} />
      {open && <Reasons action={action} />}
      <Outcome action={action} />
      <Decision action={action} />
    </article>
  );
}
