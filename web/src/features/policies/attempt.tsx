/** What the gate would decide about a call, and why. Nothing is called. */
import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import type { PolicyChecked, PolicyDraft, PolicyTool } from '../../api/types';
import { strings } from '../../strings';
import { Badge, type Tone } from '../../ui/badge';
import { Button } from '../../ui/button';
import { CheckField, SelectField, TextField } from '../../ui/field';
import { Label } from '../../ui/screen';
import { Problem } from '../../ui/states';
import { Cedar, RuleLine } from './file-card';
import { useCheckPolicy } from './queries';

const a = strings.attempt;
const TONES: Record<PolicyChecked['decision'], Tone> = { allow: 'ok', dry_run: 'info', needs_approval: 'warn', deny: 'bad' };

type Props = {
  tools: PolicyTool[];
  /** The tool that the rule is about. */
  tool?: string;
  /** The rule as if it were saved. */
  draft?: PolicyDraft;
  onClose?: () => void;
};

export function Attempt({ tools, tool, draft, onClose }: Props) {
  const check = useCheckPolicy();
  const [chosen, setChosen] = useState('');
  const [values, setValues] = useState<Record<string, string>>({});
  const [own, setOwn] = useState(true);
  const [category, setCategory] = useState('');
  const [environment, setEnvironment] = useState('');
  const [facts, setFacts] = useState('');
  const name = chosen || tool || tools.find(({ access }) => access === 'write')?.name || tools[0]?.name || '';
  const args = tools.find((one) => one.name === name)?.arguments ?? [];
  const ask = () => {
    const given: Record<string, string | number | boolean> = {};
    for (const { name, kind } of args) {
      const value = values[name] ?? '';
      if (value !== '') given[name] = kind === 'integer' ? Number(value) : kind === 'boolean' ? value === 'true' : value;
    }
    check.mutate({
      tool: name,
      arguments: given,
      ...(own && { requester: 'somebody@example.com', verified: true, owned: true, trusted: Object.keys(given) }),
      situation: { category: category.trim(), environment: environment.trim(), facts: facts.split(',').map((fact) => fact.trim()).filter(Boolean) },
      ...(draft && { draft }),
    });
  };
  return (
    <section aria-labelledby="attempt" className="flex flex-col gap-4">
      <div className="flex items-start gap-3">
        <div className="min-w-0 flex-1">
          <h2 id="attempt" className="font-semibold">
            {a.title}
          </h2>
          <p className="text-sm text-soft">
            {a.hint} {draft && a.withDraft}
          </p>
        </div>
        {onClose && (
          <Button size="small" look="quiet" onClick={onClose}>
            {strings.close}
          </Button>
        )}
      </div>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          ask();
        }}
      >
        <div className="grid items-start gap-4 desk:grid-cols-2">
          <SelectField
            label={a.tool}
            value={name}
            onChange={(event) => {
              setChosen(event.target.value);
              setValues({});
            }}
          >
            {tools.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </SelectField>
          {args.map(({ name, kind, required }) => (
            <TextField
              key={name}
              label={name}
              hint={a.argumentHint(kind, required)}
              required={required}
              type={kind === 'integer' ? 'number' : 'text'}
              value={values[name] ?? ''}
              onChange={(event) => setValues({ ...values, [name]: event.target.value })}
            />
          ))}
          <TextField label={a.category} value={category} onChange={(event) => setCategory(event.target.value)} />
          <TextField label={a.environment} hint={a.environmentHint} value={environment} onChange={(event) => setEnvironment(event.target.value)} />
          <TextField label={a.facts} placeholder={strings.builder.factExample} value={facts} onChange={(event) => setFacts(event.target.value)} />
        </div>
        <CheckField label={a.own} checked={own} onChange={(event) => setOwn(event.target.checked)} />
        <div>
          <Button type="submit" disabled={check.isPending || name === ''}>
            {check.isPending ? a.asking : a.ask}
          </Button>
        </div>
      </form>
      <Problem error={check.error} />
      <div role="status">{check.data && <Decided checked={check.data} />}</div>
    </section>
  );
}

function Decided({ checked }: { checked: PolicyChecked }) {
  return (
    <div className="flex flex-col gap-4 rounded-lg border border-line bg-canvas p-4">
      <div className="flex flex-wrap items-center gap-2">
        <Badge tone={TONES[checked.decision]}>{a.decision[checked.decision]}</Badge>
        {checked.risk != null && <span className="text-sm text-soft">{a.risk(checked.risk)}</span>}
      </div>
      {checked.reasons.length > 0 && (
        <div>
          <Label>{a.because}</Label>
          <ul className="mt-1 flex list-disc flex-col gap-1 pl-5 text-sm [overflow-wrap:anywhere]">
            {checked.reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </div>
      )}
      <div>
        <Label>{a.rules}</Label>
        {checked.rules.length === 0 ? (
          <p className="text-sm text-faint">{a.noRules}</p>
        ) : (
          <ul className="mt-1 flex flex-col gap-2">
            {checked.rules.map((rule) => (
              <li key={`${rule.origin}/${rule.file}/${rule.name}`}>
                <RuleLine rule={rule} />
                <p className="font-mono text-xs text-faint">
                  {rule.file}/{rule.name}
                </p>
              </li>
            ))}
          </ul>
        )}
      </div>
      <details className="group/facts">
        <summary className="flex items-center gap-1.5 text-sm text-soft hover:text-ink">
          <ChevronRight aria-hidden className="size-4 transition-transform group-open/facts:rotate-90" />
          {a.told}
        </summary>
        <Cedar text={JSON.stringify(checked.facts, null, 2)} />
      </details>
    </div>
  );
}
