/** The buttons of a decision: approve exactly what is shown, reject with a reason, take back. */
import { Check, Undo2, X } from 'lucide-react';
import { useId, useState } from 'react';
import type { Action } from '../../api/types';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { useKeys } from '../../ui/keys';
import { Problem } from '../../ui/states';
import { useCanDecide } from '../session/queries';
import { useDecisions } from './queries';

const s = strings.action;

export function Decision({ action, withKeys = false }: { action: Action; withKeys?: boolean }) {
  const canDecide = useCanDecide();
  const { approve, reject, undo } = useDecisions(action);
  const [rejecting, setRejecting] = useState(false);
  const [reason, setReason] = useState('');
  const id = useId();
  const open = action.state === 'proposed';
  const busy = approve.isPending || reject.isPending || undo.isPending;
  useKeys(
    { y: () => !busy && approve.mutate(), n: () => setRejecting(true) },
    withKeys && open && canDecide && !rejecting,
  );

  const canUndo = action.state === 'done' && action.undoable;
  if (!open && !canUndo) return null;
  if (!canDecide) return <p className="text-sm text-soft">{s.viewerOnly}</p>;
  if (canUndo) {
    return (
      <div className="flex flex-col items-start gap-2">
        <Button disabled={busy} onClick={() => undo.mutate()}>
          <Undo2 aria-hidden className="size-4" />
          {undo.isPending ? s.undoing : s.undo}
        </Button>
        <Problem error={undo.error} />
      </div>
    );
  }
  if (rejecting) {
    return (
      <form
        className="flex flex-col gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          reject.mutate(reason.trim());
        }}
      >
        <label htmlFor={id} className="text-sm font-medium">
          {s.rejectReason}
        </label>
        <textarea
          id={id}
          rows={2}
          // The reader has just asked to write here.
          // eslint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
          placeholder={s.rejectPlaceholder}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setRejecting(false);
          }}
          className="rounded-lg border border-line-strong bg-surface px-3 py-2 text-base placeholder:text-faint"
        />
        <Problem error={reject.error} />
        <div className="flex gap-2">
          <Button look="danger" type="submit" disabled={busy}>
            {reject.isPending ? s.rejecting : s.confirmReject}
          </Button>
          <Button look="quiet" onClick={() => setRejecting(false)}>
            {strings.cancel}
          </Button>
        </div>
      </form>
    );
  }
  return (
    <div className="flex flex-col gap-2">
      <div className="flex gap-2">
        <Button look="primary" disabled={busy} hint={withKeys ? 'y' : undefined} onClick={() => approve.mutate()}>
          <Check aria-hidden className="size-4" />
          {approve.isPending ? s.approving : s.approve}
        </Button>
        <Button disabled={busy} hint={withKeys ? 'n' : undefined} onClick={() => setRejecting(true)}>
          <X aria-hidden className="size-4" />
          {s.reject}
        </Button>
      </div>
      <Problem error={approve.error} />
    </div>
  );
}
