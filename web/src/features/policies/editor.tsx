/** A rule in the making: as a form with its Cedar beside it, or as text; and a call to try it on. */
import { useState } from 'react';
import type { PolicyFile, PolicyList } from '../../api/types';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/field';
import { Card, Label } from '../../ui/screen';
import { Problem } from '../../ui/states';
import { Attempt } from './attempt';
import { Cedar } from './file-card';
import { usePutPolicy } from './queries';
import { asName, cedarOf, newRule, type Rule } from './rule';
import { RuleForm } from './rule-form';

const b = strings.builder;

/** What is edited: a new rule when there is no file. */
export type Edited = { as: 'form' | 'text'; file?: PolicyFile; rule?: Rule };

export function Editor({ edited, list, onDone }: { edited: Edited; list: PolicyList; onDone: () => void }) {
  const [as, setAs] = useState(edited.as);
  const [rule, setRule] = useState(edited.rule ?? newRule());
  const [name, setName] = useState(edited.file?.name ?? '');
  const [written, setWritten] = useState(edited.file?.text ?? '');
  const put = usePutPolicy();
  const args = list.tools.find((tool) => rule.target === 'tool' && tool.name === rule.targetId)?.arguments ?? [];
  // A rule of the form is named as its file is.
  const named = { ...rule, name };
  const text = as === 'form' ? cedarOf(named, args) : written;
  const ready = name !== '' && text !== null && text.trim() !== '';
  const isNew = edited.file === undefined;
  return (
    <Card className="flex flex-col gap-5 p-5">
      <h2 className="text-lg font-semibold">{isNew ? b.newTitle : b.editTitle}</h2>
      <form
        className="flex flex-col gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) put.mutate({ name, text }, { onSuccess: onDone });
        }}
      >
        <TextField
          label={b.name}
          hint={b.nameHint}
          required
          disabled={!isNew}
          maxLength={60}
          autoComplete="off"
          value={name}
          onChange={(event) => setName(asName(event.target.value))}
        />
        {as === 'form' ? (
          <>
            <RuleForm rule={rule} tools={list.tools} args={args} onChange={setRule} />
            <div>
              <Label>{b.cedar}</Label>
              {text === null ? <p className="mt-2 text-sm text-faint">{b.incomplete}</p> : <Cedar text={text} />}
            </div>
          </>
        ) : (
          <div className="flex flex-col gap-1">
            <label htmlFor="cedar" className="text-sm font-medium">
              {b.text}
            </label>
            <textarea
              id="cedar"
              rows={12}
              required
              spellCheck={false}
              maxLength={65_536}
              value={written}
              onChange={(event) => setWritten(event.target.value)}
              className="rounded-lg border border-line-strong bg-surface px-3 py-2 font-mono text-sm"
            />
            {!isNew && edited.as === 'text' && <p className="text-xs text-faint">{b.noForm}</p>}
          </div>
        )}
        <Problem error={put.error} />
        <div className="flex flex-wrap gap-2">
          <Button look="primary" type="submit" disabled={!ready || put.isPending}>
            {put.isPending ? b.saving : b.save}
          </Button>
          {as === 'form' && text !== null && (
            <Button
              onClick={() => {
                setWritten(text);
                setAs('text');
              }}
            >
              {b.asText}
            </Button>
          )}
          <Button look="quiet" onClick={onDone}>
            {strings.cancel}
          </Button>
        </div>
      </form>
      <div className="border-t border-line pt-5">
        <Attempt tools={list.tools} {...(rule.target === 'tool' && { tool: rule.targetId })} {...(ready && { draft: { name, text } })} />
      </div>
    </Card>
  );
}
