/** A rule as a form: what it does, to what, and when. */
import { Plus, X } from 'lucide-react';
import type { PolicyTool } from '../../api/types';
import { strings } from '../../strings';
import { Button, IconButton } from '../../ui/button';
import { SelectField, TextField } from '../../ui/field';
import { argumentName, comparisonsOf, newCondition, SUBJECTS, type Argument, type Condition, type Effect, type Rule, type TargetKind } from './rule';

const b = strings.builder;
const EFFECTS: Effect[] = ['forbid', 'only', 'ask'];
const TARGETS: TargetKind[] = ['tool', 'connector', 'role', 'write', 'read', 'answer'];

type Props = { rule: Rule; tools: PolicyTool[]; args: Argument[]; onChange: (rule: Rule) => void };

export function RuleForm({ rule, tools, args, onChange }: Props) {
  const change = (part: Partial<Rule>) => onChange({ ...rule, ...part });
  const conditions = (next: Condition[]) => change({ conditions: next });
  return (
    <>
      <div className="grid gap-4 desk:grid-cols-3">
        <SelectField label={b.effect} value={rule.effect} onChange={(event) => change({ effect: EFFECTS.find((one) => one === event.target.value) ?? 'forbid' })}>
          {EFFECTS.map((effect) => (
            <option key={effect} value={effect}>
              {b.effects[effect]}
            </option>
          ))}
        </SelectField>
        <SelectField
          label={b.target}
          value={rule.target}
          onChange={(event) =>
            change({
              target: TARGETS.find((one) => one === event.target.value) ?? 'write',
              targetId: '',
              conditions: rule.conditions.filter(({ subject }) => argumentName(subject) === null),
            })
          }
        >
          {TARGETS.map((target) => (
            <option key={target} value={target}>
              {b.targets[target]}
            </option>
          ))}
        </SelectField>
        <Which rule={rule} tools={tools} onChange={change} />
      </div>
      <fieldset className="flex flex-col gap-3">
        <legend className="mb-2 text-sm font-medium">{rule.effect === 'only' ? b.onlyWhen : b.when}</legend>
        {rule.conditions.length === 0 && <p className="text-sm text-faint">{rule.effect === 'only' ? b.onlyNeedsCondition : b.always}</p>}
        {rule.conditions.map((condition) => (
          <ConditionRow
            key={condition.id}
            condition={condition}
            args={args}
            onChange={(next) => conditions(rule.conditions.map((one) => (one.id === condition.id ? next : one)))}
            onRemove={() => conditions(rule.conditions.filter((one) => one.id !== condition.id))}
          />
        ))}
        <div>
          <Button
            size="small"
            onClick={() => conditions([...rule.conditions, newCondition(args[0] ? `argument:${args[0].name}` : 'environment')])}
          >
            <Plus aria-hidden className="size-3.5" />
            {b.addCondition}
          </Button>
        </div>
      </fieldset>
      <TextField label={b.why} maxLength={500} value={rule.why} onChange={(event) => change({ why: event.target.value })} />
    </>
  );
}

/** Which tool, connector or role; nothing where the target is all of a kind. */
function Which({ rule, tools, onChange }: { rule: Rule; tools: PolicyTool[]; onChange: (part: Partial<Rule>) => void }) {
  if (rule.target !== 'tool' && rule.target !== 'connector' && rule.target !== 'role') return null;
  const of = { tool: tools.map(({ name }) => name), connector: tools.map(({ connector }) => connector), role: tools.map(({ role }) => role ?? '') }[rule.target];
  const known = [...new Set(of)].filter(Boolean).sort();
  // One that nobody offers now is kept, and shown.
  const all = rule.targetId && !known.includes(rule.targetId) ? [rule.targetId, ...known] : known;
  return (
    <SelectField
      label={b[rule.target]}
      required
      value={rule.targetId}
      onChange={(event) =>
        onChange({ targetId: event.target.value, conditions: rule.conditions.filter(({ subject }) => argumentName(subject) === null) })
      }
    >
      <option value="">{b.pick}</option>
      {all.map((id) => (
        <option key={id} value={id}>
          {id}
        </option>
      ))}
    </SelectField>
  );
}

type RowProps = { condition: Condition; args: Argument[]; onChange: (condition: Condition) => void; onRemove: () => void };

function ConditionRow({ condition, args, onChange, onRemove }: RowProps) {
  const { subject, comparison, value } = condition;
  const argument = args.find(({ name }) => name === argumentName(subject));
  const comparisons = comparisonsOf(subject, argument);
  return (
    <div className="grid grid-cols-[1fr_auto] items-end gap-x-2 gap-y-3 rounded-lg border border-line p-3 desk:grid-cols-[2fr_1fr_2fr_auto] desk:border-0 desk:p-0">
      <div className="col-span-2 desk:col-span-1">
        <SelectField
          label={b.subject}
          value={subject}
          onChange={(event) => {
            const next = event.target.value;
            const kind = args.find(({ name }) => name === argumentName(next));
            onChange({ ...newCondition(next), id: condition.id, comparison: comparisonsOf(next, kind)[0] ?? 'is' });
          }}
        >
          {args.map(({ name }) => (
            <option key={name} value={`argument:${name}`}>
              {b.argument(name)}
            </option>
          ))}
          {SUBJECTS.map((name) => (
            <option key={name} value={name}>
              {b.subjects[name]}
            </option>
          ))}
        </SelectField>
      </div>
      <div className="col-span-2 desk:col-span-1">
        <SelectField label={b.comparison} value={comparison} onChange={(event) => onChange({ ...condition, comparison: comparisons.find((one) => one === event.target.value) ?? comparison })}>
          {comparisons.map((name) => (
            <option key={name} value={name}>
              {b.comparisons[name]}
            </option>
          ))}
        </SelectField>
      </div>
      <Value subject={subject} argument={argument} value={value} onChange={(next) => onChange({ ...condition, value: next })} />
      <IconButton label={b.removeCondition} onClick={onRemove} className="mb-0.5">
        <X aria-hidden className="size-4" />
      </IconButton>
    </div>
  );
}

function Value({ subject, argument, value, onChange }: { subject: string; argument: Argument | undefined; value: string; onChange: (value: string) => void }) {
  const among = subject === 'verified' || argument?.kind === 'boolean' ? ['true', 'false'] : (argument?.values ?? []);
  if (among.length > 0) {
    return (
      <SelectField label={b.value} value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">{b.pick}</option>
        {among.map((one) => (
          <option key={one} value={one}>
            {subject === 'verified' ? b.verifiedValues[one === 'true' ? 'true' : 'false'] : one}
          </option>
        ))}
      </SelectField>
    );
  }
  const isNumber = argument?.kind === 'integer' || subject === 'risk' || subject === 'records';
  return (
    <TextField
      label={b.value}
      required
      type={isNumber ? 'number' : 'text'}
      placeholder={subject === 'fact' ? b.factExample : subject === 'hour' ? b.hoursExample : undefined}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
