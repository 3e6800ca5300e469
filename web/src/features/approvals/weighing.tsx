/** What the gate saw when it weighed an action: what would change, where values come from, what the risk is made of. */
import { Link } from 'react-router';
import type { Action, ActionView, ArgumentSource, Change } from '../../api/types';
import { strings } from '../../strings';
import { Label } from '../../ui/screen';
import { Sentence } from '../../ui/sentence';
import { Trust } from '../ticket/origin';
import { visible, visibleData } from './visible';

const s = strings.action;

function plain(value: unknown): string {
  if (value == null) return s.nothing;
  return typeof value === 'string' ? visible(value) : JSON.stringify(visibleData(value));
}

/** Before and after, field by field. */
export function Changes({ changes }: { changes: Change[] }) {
  if (changes.length === 0) return null;
  return (
    <section className="flex flex-col gap-1.5">
      <Label>{s.changes}</Label>
      <div className="overflow-x-auto rounded-lg border border-line bg-canvas p-3">
        <table className="w-full text-xs">
          <thead>
            <tr className="text-left text-faint">
              <th scope="col" className="py-1 pr-4 font-medium">{s.field}</th>
              <th scope="col" className="py-1 pr-4 font-medium">{s.now}</th>
              <th scope="col" className="py-1 font-medium">{s.after}</th>
            </tr>
          </thead>
          <tbody className="font-mono">
            {changes.map((change) => (
              <tr key={change.field} className="align-top">
                <td className="py-1 pr-4 [overflow-wrap:anywhere]">{visible(change.field.replace(/^\//, ''))}</td>
                <td className="py-1 pr-4 [overflow-wrap:anywhere] text-bad line-through decoration-bad/40">{plain(change.before)}</td>
                <td className="py-1 [overflow-wrap:anywhere] text-ok">{plain(change.after)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** What each argument is for, and where its value comes from. */
export function Sources({ sources }: { sources: ArgumentSource[] }) {
  if (sources.length === 0) return null;
  return (
    <section className="flex flex-col gap-1.5">
      <Label>{s.sources}</Label>
      <ul className="flex flex-col gap-1.5">
        {sources.map((source) => (
          <li key={source.argument} className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 text-sm">
            <span className="font-mono text-xs">{visible(source.argument)}</span>
            <span className="text-xs text-faint">{source.role ? s.argumentRole[source.role] : s.noRole}</span>
            <Trust integrity={source.integrity} />
            <span className="text-soft [overflow-wrap:anywhere]">
              {source.from.map((from) => (
                <Sentence key={from} text={visible(from)} />
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What adds up to the risk. */
export function RiskParts({ action }: { action: Action }) {
  const parts = action.weighing?.risk_parts ?? [];
  if (parts.length === 0) return null;
  return (
    <ul className="flex flex-col gap-0.5 text-sm">
      {parts.map((part) => (
        <li key={part.name} className="flex gap-3">
          <span className="w-8 text-right text-soft tabular-nums">{part.points}</span>
          <span>{part.name}</span>
        </li>
      ))}
    </ul>
  );
}

export function Reach({ action }: { action: ActionView }) {
  return (
    <section className="flex flex-col gap-1">
      <Label>{s.reach}</Label>
      <p className="text-sm">
        <Sentence text={visible(action.reach)} />
      </p>
    </section>
  );
}

/** The actions that this one replaces, takes back, or is taken back by. */
export function Kin({ action }: { action: Action }) {
  const kin: [string, string | null | undefined][] = [
    [s.replaces, action.replaces],
    [s.undoes, action.undoes],
    [s.undoneBy, action.undone_by],
  ];
  return (
    <>
      {kin.map(
        ([words, id]) =>
          id && (
            <p key={words} className="text-xs text-faint">
              {words}{' '}
              <Link to={`/approvals/${id}`} className="text-accent-strong underline underline-offset-2">
                {s.anotherAction}
              </Link>
            </p>
          ),
      )}
    </>
  );
}
