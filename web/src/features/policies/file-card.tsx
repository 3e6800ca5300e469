/** A file of rules: what each says, and its text. */
import { ChevronRight, TriangleAlert } from 'lucide-react';
import type { PolicyFile, PolicyRule } from '../../api/types';
import { strings } from '../../strings';
import { Badge, type Tone } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Card } from '../../ui/screen';
import { Problem } from '../../ui/states';
import type { Edited } from './editor';
import { useRemovePolicy } from './queries';
import { ruleOf } from './rule';

const s = strings.policies;
export const TONES: Record<PolicyRule['effect'], Tone> = { permit: 'ok', forbid: 'bad', escalate: 'warn' };

type Props = { file: PolicyFile; mayChange: boolean; onEdit: (edited: Edited) => void; onDeleted: (file: PolicyFile) => void };

export function FileCard({ file, mayChange, onEdit, onDeleted }: Props) {
  const remove = useRemovePolicy();
  return (
    <Card className="flex flex-col gap-4 p-5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h3 className="min-w-0 flex-1 font-mono text-sm font-semibold [overflow-wrap:anywhere]">{file.name}</h3>
        {mayChange && (
          <div className="flex gap-2">
            <Button size="small" aria-label={s.editRule(file.name)} onClick={() => onEdit(editedFrom(file))}>
              {s.edit}
            </Button>
            <Button
              size="small"
              look="danger"
              aria-label={s.deleteRule(file.name)}
              disabled={remove.isPending}
              onClick={() => remove.mutate(file.name, { onSuccess: () => onDeleted(file) })}
            >
              {remove.isPending ? s.deleting : s.delete}
            </Button>
          </div>
        )}
      </div>
      <Problem error={remove.error} />
      {file.rules.length > 0 && (
        <ul className="flex flex-col gap-3">
          {file.rules.map((rule) => (
            <li key={rule.name}>
              <RuleLine rule={rule} />
            </li>
          ))}
        </ul>
      )}
      <details className="group/cedar">
        <summary className="flex items-center gap-1.5 text-sm text-soft hover:text-ink">
          <ChevronRight aria-hidden className="size-4 transition-transform group-open/cedar:rotate-90" />
          {s.showText}
        </summary>
        <Cedar text={file.text} />
      </details>
    </Card>
  );
}

export function RuleLine({ rule }: { rule: PolicyRule }) {
  return (
    <div className="flex flex-col items-start gap-1">
      <div className="flex flex-wrap items-baseline gap-x-2 gap-y-1">
        <Badge tone={TONES[rule.effect]}>{s.effect[rule.effect]}</Badge>
        <span className="min-w-0 [overflow-wrap:anywhere]">{rule.words}</span>
      </div>
      {rule.why && <p className="text-sm [overflow-wrap:anywhere] text-soft">{rule.why}</p>}
      {rule.unused && (
        <p className="flex items-center gap-1.5 text-sm text-warn">
          <TriangleAlert aria-hidden className="size-4 shrink-0" />
          {s.unused}
        </p>
      )}
    </div>
  );
}

export function Cedar({ text }: { text: string }) {
  return (
    // What scrolls can be reached and scrolled by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre tabIndex={0} className="mt-2 overflow-x-auto rounded-lg border border-line bg-canvas p-3 font-mono text-xs leading-relaxed">
      {text.trim()}
    </pre>
  );
}

/** A file of one rule that the form can say is edited as a form. */
function editedFrom(file: PolicyFile): Edited {
  const [only, ...more] = file.rules;
  const rule = only && more.length === 0 ? ruleOf(file.name, only.parsed) : null;
  return rule ? { as: 'form', file, rule } : { as: 'text', file };
}
