/** Where models may be, and what they may use in a day. The operator's limits stand above these. */
import type { LlmSettings } from '../../api/types';
import { strings } from '../../strings';
import { CheckField, TextField } from '../../ui/field';
import { Card } from '../../ui/screen';
import type { Draft } from './draft';

const s = strings.modelSettings;

export function Limits({ draft, operator, onChange }: { draft: Draft; operator: LlmSettings['operator']; onChange: (part: Partial<Draft>) => void }) {
  const { tokens_per_day: tokens, micro_usd_per_day: money } = operator;
  return (
    <Card className="flex flex-col gap-4 p-5">
      <h2 className="font-semibold">{s.limits}</h2>
      <CheckField
        label={s.localOnly}
        hint={operator.local_only ? s.byOperator : s.localOnlyHint}
        checked={draft.localOnly || operator.local_only}
        disabled={operator.local_only}
        onChange={(event) => onChange({ localOnly: event.target.checked })}
      />
      <div className="grid gap-4 desk:grid-cols-2">
        <TextField
          label={s.tokensPerDay}
          type="number"
          min={0}
          step={1}
          placeholder={tokens == null ? s.noLimit : tokens.toLocaleString()}
          hint={tokens == null ? undefined : s.atMost(tokens.toLocaleString())}
          value={draft.tokens}
          onChange={(event) => onChange({ tokens: event.target.value })}
        />
        <TextField
          label={s.dollarsPerDay}
          type="number"
          min={0}
          step="any"
          placeholder={money == null ? s.noLimit : (money / 1_000_000).toFixed(2)}
          hint={money == null ? undefined : s.atMost(`$${(money / 1_000_000).toFixed(2)}`)}
          value={draft.dollars}
          onChange={(event) => onChange({ dollars: event.target.value })}
        />
      </div>
      <p className="text-sm text-soft">{s.whenSpent}</p>
    </Card>
  );
}
