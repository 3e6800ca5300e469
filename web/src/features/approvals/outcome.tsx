import type { Action } from '../../api/types';
import { strings } from '../../strings';
import { Data } from '../../ui/json';
import { Label } from '../../ui/screen';
import { Sentence } from '../../ui/sentence';
import { Moment } from '../../ui/time';
import { visibleData } from './visible';

const s = strings.action;

/** Why Gaby wants it, and why a person is asked. */
export function Reasons({ action }: { action: Action }) {
  const because = action.needs_human_because ?? [];
  return (
    <>
      {action.reason && (
        <section className="flex flex-col gap-1">
          <Label>{s.why}</Label>
          <p className="text-sm [overflow-wrap:anywhere]">
            <Sentence text={action.reason} />
          </p>
        </section>
      )}
      {because.length > 0 && (
        <section className="flex flex-col gap-1">
          <Label>{s.whyAsk}</Label>
          <ul className="flex list-disc flex-col gap-0.5 pl-4 text-sm marker:text-faint">
            {because.map((reason) => (
              <li key={reason} className="first-letter:uppercase">
                <Sentence text={reason} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** What became of it. */
export function Outcome({ action }: { action: Action }) {
  return (
    <>
      {action.outcome != null && (
        <section className="flex flex-col gap-1.5">
          <Label>{s.outcome}</Label>
          <div className="rounded-lg border border-line bg-canvas p-3">
            <Data value={visibleData(action.outcome)} label={s.outcome} />
          </div>
        </section>
      )}
      {action.rejection && (
        <section className="flex flex-col gap-1">
          <Label>{s.rejectedBecause}</Label>
          <p className="text-sm [overflow-wrap:anywhere]">{action.rejection}</p>
        </section>
      )}
      {action.decided_at && (
        <p className="text-xs text-faint">
          {s.decided} <Moment at={action.decided_at} />
        </p>
      )}
    </>
  );
}
