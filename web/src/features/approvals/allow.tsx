/** A yes in advance to the like of an action: first what it would cover, then the yes. */
import { useState } from 'react';
import type { ActionView } from '../../api/types';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/field';
import { Problem } from '../../ui/states';
import { useAllow } from './queries';
import { visible } from './visible';

const s = strings.action;

export function Allow({ action, onDone }: { action: ActionView; onDone: () => void }) {
  const { consider, allow } = useAllow(action.id);
  const [calls, setCalls] = useState(10);
  const [hours, setHours] = useState(24);
  const considered = consider.data;
  const change = (set: (value: number) => void) => (event: { target: { valueAsNumber: number } }) => {
    set(event.target.valueAsNumber || 1);
    // What was looked at is no longer what would be allowed.
    consider.reset();
  };
  if (allow.data) {
    return (
      <p role="status" className="text-sm text-ok">
        {s.allowed}
      </p>
    );
  }
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        (considered ? allow : consider).mutate({ calls, hours });
      }}
    >
      <p className="text-sm text-soft">
        {s.allowHint} {s.allowNever}
      </p>
      <div className="grid grid-cols-2 gap-3">
        <TextField label={s.calls} type="number" min={1} max={500} required value={calls} onChange={change(setCalls)} />
        <TextField label={s.hours} type="number" min={1} max={336} required value={hours} onChange={change(setHours)} />
      </div>
      {considered && (
        <div className="flex flex-col gap-1 rounded-lg border border-line bg-canvas p-3 text-sm">
          <p>{s.covered(considered.would_have_covered)}</p>
          <ul className="flex list-disc flex-col gap-0.5 pl-4 marker:text-faint">
            {considered.summaries.slice(0, 8).map((summary, at) => (
              <li key={at}>{visible(summary)}</li>
            ))}
          </ul>
        </div>
      )}
      <Problem error={consider.error ?? allow.error} />
      <div className="flex gap-2">
        <Button look={considered ? 'primary' : 'plain'} type="submit" disabled={consider.isPending || allow.isPending}>
          {considered ? (allow.isPending ? s.allowing : s.confirmAllow) : consider.isPending ? s.considering : s.consider}
        </Button>
        <Button look="quiet" onClick={onDone}>
          {strings.cancel}
        </Button>
      </div>
    </form>
  );
}
