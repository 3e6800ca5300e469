import { useEffect, useRef, useState } from 'react';
import type { Ticket } from '../../api/types';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { Problem } from '../../ui/states';
import { useCanDecide } from '../session/queries';
import { useAddMessage } from './queries';

export type Writing = 'agent' | 'note';
const s = strings.ticket;

type Props = { ticket: Ticket; writing: Writing | null; onWriting: (writing: Writing | null) => void };

/** Where a person answers or leaves a note; closed until asked for, so that the work has the room. */
export function Composer({ ticket, writing, onWriting }: Props) {
  const canDecide = useCanDecide();
  const [text, setText] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const add = useAddMessage(ticket.id);
  useEffect(() => {
    if (writing) field.current?.focus();
  }, [writing]);

  if (!canDecide) return <p className="border-t border-line px-6 py-3 text-sm text-soft">{s.viewerOnly}</p>;
  const who = ticket.requester?.name ?? ticket.requester?.email ?? strings.inbox.unknownRequester;
  if (!writing) {
    return (
      <div className="flex gap-2 border-t border-line px-4 py-3 desk:px-6">
        <button
          type="button"
          onClick={() => onWriting('agent')}
          className="h-9 min-w-0 flex-1 truncate rounded-lg border border-line-strong px-3 text-left text-faint hover:bg-hover"
        >
          {s.replyPlaceholder(who)}
        </button>
      </div>
    );
  }
  const send = () => {
    if (!text.trim() || add.isPending) return;
    add.mutate(
      { body: text, author: writing },
      {
        onSuccess: () => {
          setText('');
          onWriting(null);
        },
      },
    );
  };
  const note = writing === 'note';
  return (
    <form
      className={`flex flex-col gap-2 border-t border-line px-4 py-3 desk:px-6 ${note ? 'bg-warn-soft/60' : ''}`}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div role="group" aria-label={s.reply} className="flex gap-1">
        {(['agent', 'note'] as const).map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={writing === one}
            onClick={() => onWriting(one)}
            className={`h-7 rounded-lg px-2.5 text-sm font-medium ${writing === one ? 'bg-accent-soft text-accent-strong' : 'text-soft hover:bg-hover'}`}
          >
            {one === 'agent' ? s.reply : s.note}
          </button>
        ))}
      </div>
      <textarea
        ref={field}
        rows={4}
        aria-label={note ? s.note : s.reply}
        placeholder={note ? s.notePlaceholder : s.replyPlaceholder(who)}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onWriting(null);
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
        }}
        className="resize-y rounded-lg border border-line-strong bg-surface px-3 py-2 placeholder:text-faint"
      />
      <Problem error={add.error} />
      <div className="flex justify-end gap-2">
        <Button look="quiet" onClick={() => onWriting(null)}>
          {strings.cancel}
        </Button>
        <Button look="primary" type="submit" disabled={!text.trim() || add.isPending} hint="Ctrl ↵">
          {add.isPending ? s.sending : note ? s.saveNote : s.send}
        </Button>
      </div>
    </form>
  );
}
