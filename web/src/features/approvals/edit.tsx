/** Other arguments in the place of those that wait. */
import { useId, useState } from 'react';
import { useNavigate } from 'react-router';
import type { ActionView } from '../../api/types';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { isRecord } from '../../ui/json';
import { Problem } from '../../ui/states';
import { useDecisions } from './queries';

const s = strings.action;

export function Edit({ action, onDone }: { action: ActionView; onDone: () => void }) {
  const { edit } = useDecisions(action);
  const [text, setText] = useState(() => JSON.stringify(action.call.arguments, null, 2));
  const [bad, setBad] = useState(false);
  const navigate = useNavigate();
  const id = useId();
  return (
    <form
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        const parsed = read(text);
        setBad(!parsed);
        if (parsed) edit.mutate(parsed, { onSuccess: (next) => void navigate(`/approvals/${next.id}`) });
      }}
    >
      <label htmlFor={id} className="text-sm font-medium">
        {s.editArguments}
      </label>
      <textarea
        id={id}
        rows={Math.min(12, text.split('\n').length + 1)}
        spellCheck={false}
        // The reader has just asked to write here.
        // eslint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onDone();
        }}
        className="rounded-lg border border-line-strong bg-surface px-3 py-2 font-mono text-xs"
      />
      <p className="text-xs text-faint">{s.editHint}</p>
      {bad && (
        <p role="alert" className="text-sm text-bad">
          {s.editBad}
        </p>
      )}
      <Problem error={edit.error} />
      <div className="flex gap-2">
        <Button look="primary" type="submit" disabled={edit.isPending}>
          {edit.isPending ? s.editing : s.confirmEdit}
        </Button>
        <Button look="quiet" onClick={onDone}>
          {strings.cancel}
        </Button>
      </div>
    </form>
  );
}

function read(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
