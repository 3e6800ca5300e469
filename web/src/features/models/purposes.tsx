/** Another model, or other limits, for one purpose. */
import { ChevronRight } from 'lucide-react';
import { strings } from '../../strings';
import { TextField } from '../../ui/field';
import { Card } from '../../ui/screen';
import { PURPOSES, type Draft, type Purpose, type PurposeDraft } from './draft';

const s = strings.modelSettings;

export function Purposes({ draft, onChange }: { draft: Draft; onChange: (part: Partial<Draft>) => void }) {
  const set = PURPOSES.some((name) => Object.values(draft.purposes[name]).some(Boolean));
  return (
    <Card>
      <details className="group/purposes" open={set}>
        <summary className="flex items-center gap-2 p-5 font-semibold">
          <ChevronRight aria-hidden className="size-4 shrink-0 transition-transform group-open/purposes:rotate-90" />
          {s.perPurpose}
        </summary>
        <div className="flex flex-col gap-5 px-5 pb-5">
          <p className="text-sm text-soft">{s.perPurposeHint}</p>
          {PURPOSES.map((name) => (
            <PurposeFields
              key={name}
              name={name}
              purpose={draft.purposes[name]}
              onChange={(purpose) => onChange({ purposes: { ...draft.purposes, [name]: purpose } })}
            />
          ))}
        </div>
      </details>
    </Card>
  );
}

function PurposeFields({ name, purpose, onChange }: { name: Purpose; purpose: PurposeDraft; onChange: (purpose: PurposeDraft) => void }) {
  const change = (field: keyof PurposeDraft) => (event: { target: { value: string } }) => onChange({ ...purpose, [field]: event.target.value });
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="text-sm font-medium">{s.purposes[name]}</legend>
      <p className="text-xs text-faint">{s.purposeMeans[name]}</p>
      <div className="grid grid-cols-2 gap-3 desk:grid-cols-5">
        <div className="col-span-2">
          <TextField label={s.model} maxLength={200} placeholder={s.usualModel} value={purpose.model} onChange={change('model')} />
        </div>
        <TextField label={s.temperature} type="number" min={0} max={2} step="any" value={purpose.temperature} onChange={change('temperature')} />
        <TextField label={s.output} type="number" min={1} max={200_000} value={purpose.output} onChange={change('output')} />
        <TextField label={s.seconds} type="number" min={1} max={3600} value={purpose.seconds} onChange={change('seconds')} />
      </div>
    </fieldset>
  );
}
