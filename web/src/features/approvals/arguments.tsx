import { TriangleAlert } from 'lucide-react';
import { strings } from '../../strings';
import { Data, isRecord } from '../../ui/json';
import { Label } from '../../ui/screen';
import { Sentence } from '../../ui/sentence';
import { visibleData } from './visible';

const s = strings.action;

/** Exactly what would be sent. */
export function Arguments({ value, warnings }: { value: unknown; warnings: string[] }) {
  const none = value == null || (isRecord(value) && Object.keys(value).length === 0);
  return (
    <section className="flex flex-col gap-1.5">
      <Label>{s.exactArguments}</Label>
      <div className="rounded-lg border border-line bg-canvas p-3">
        {none ? <p className="text-sm text-soft">{s.noArguments}</p> : <Data value={visibleData(value)} label={s.exactArguments} />}
      </div>
      {warnings.length > 0 && (
        <div className="flex gap-2 rounded-lg bg-bad-soft p-3 text-sm text-bad">
          <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          <div>
            <p className="font-semibold">{s.warnings}</p>
            <ul>
              {warnings.map((warning) => (
                <li key={warning} className="first-letter:uppercase">
                  <Sentence text={warning} />
                </li>
              ))}
            </ul>
          </div>
        </div>
      )}
    </section>
  );
}
