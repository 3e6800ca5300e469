/** Which personal data is hidden before a language model sees a text, and a place to try it. */
import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import type { PersonalData, RedactionProfile } from '../../api/types';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { Card, Label } from '../../ui/screen';
import { Failure, Problem, Skeleton } from '../../ui/states';
import { redactionQuery, useSettleRedaction, useTryRedaction } from './queries';

const s = strings.settings;
const KINDS = Object.keys(s.personalData) as PersonalData[];

export function Redaction() {
  const profile = useQuery(redactionQuery);
  return (
    <section aria-labelledby="redaction" className="flex flex-col gap-3">
      <div>
        <h2 id="redaction" className="text-lg font-semibold">
          {s.redaction}
        </h2>
        <p className="text-sm text-soft">{s.redactionIntro}</p>
      </div>
      {profile.isPending ? (
        <Skeleton lines={2} />
      ) : profile.error ? (
        <Failure what={s.redactionFailed} error={profile.error} retry={() => void profile.refetch()} />
      ) : (
        <Card className="flex flex-col gap-5 p-5">
          <Kinds profile={profile.data} />
          <Try />
        </Card>
      )}
    </section>
  );
}

function Kinds({ profile }: { profile: RedactionProfile }) {
  const settle = useSettleRedaction();
  const toggle = (kind: PersonalData, on: boolean) =>
    settle.mutate({ ...profile, kinds: on ? [...profile.kinds, kind] : profile.kinds.filter((other) => other !== kind) });
  return (
    <fieldset disabled={settle.isPending} className="grid gap-x-5 gap-y-2 desk:grid-cols-2">
      <legend className="sr-only">{s.redaction}</legend>
      {KINDS.map((kind) => (
        <label key={kind} className="flex items-center gap-2 text-sm">
          <input
            type="checkbox"
            className="size-4 accent-(--accent)"
            checked={profile.kinds.includes(kind)}
            onChange={(event) => toggle(kind, event.target.checked)}
          />
          {s.personalData[kind]}
        </label>
      ))}
      <Problem error={settle.error} />
    </fieldset>
  );
}

function Try() {
  const [text, setText] = useState('');
  const attempt = useTryRedaction();
  const id = useId();
  return (
    <form
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        attempt.mutate(text);
      }}
    >
      <label htmlFor={id} className="text-sm font-medium">
        {s.tryRedaction}
      </label>
      <textarea
        id={id}
        rows={3}
        placeholder={s.tryPlaceholder}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className="rounded-lg border border-line-strong bg-surface px-3 py-2 text-base placeholder:text-faint"
      />
      <div>
        <Button type="submit" disabled={attempt.isPending || text.trim() === ''}>
          {attempt.isPending ? s.trying : s.tryIt}
        </Button>
      </div>
      <Problem error={attempt.error} />
      {attempt.data && (
        <div role="status" className="flex flex-col gap-1">
          <Label>{s.tried}</Label>
          <p className="rounded-lg border border-line bg-canvas p-3 font-mono text-xs whitespace-pre-wrap [overflow-wrap:anywhere]">{attempt.data.text}</p>
        </div>
      )}
    </form>
  );
}
