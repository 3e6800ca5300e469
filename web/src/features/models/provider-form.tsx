/** One provider of models: just the fields that its kind has, and whether it answers. */
import { ArrowDown, ArrowUp, X } from 'lucide-react';
import { useId } from 'react';
import type { LlmKind, LlmSettings } from '../../api/types';
import { strings } from '../../strings';
import { Button, IconButton } from '../../ui/button';
import { CheckField, SelectField, TextField } from '../../ui/field';
import { Card } from '../../ui/screen';
import { Problem } from '../../ui/states';
import { FIELDS, keepsKey, providerOf, type Field, type ProviderDraft } from './draft';
import { useTryModel } from './queries';

const s = strings.modelSettings;

type Props = {
  provider: ProviderDraft;
  place: number;
  last: boolean;
  settings: LlmSettings;
  onChange: (provider: ProviderDraft) => void;
  onMove: (to: number) => void;
  onRemove: () => void;
};

export function ProviderForm({ provider, place, last, settings, onChange, onMove, onRemove }: Props) {
  const { kinds, operator } = settings;
  const kind = kinds.find((one) => one.kind === provider.kind);
  const attempt = useTryModel();
  const heading = useId();
  const title = s.kinds[provider.kind] ?? provider.kind;
  const change = (part: Partial<ProviderDraft>) => {
    attempt.reset();
    onChange({ ...provider, ...part });
  };
  const complete = provider.model.trim() !== '' && (!kind?.needs || (provider.fields[kind.needs as Field] ?? '').trim() !== '');
  return (
    <Card className="flex flex-col gap-4 p-5">
      <div className="flex items-start gap-1">
        <h2 id={heading} className="min-w-0 flex-1 py-1 font-semibold">
          {place === 0 ? s.first : s.next(place + 1)}
        </h2>
        {place > 0 && (
          <IconButton label={s.up(title)} onClick={() => onMove(place - 1)}>
            <ArrowUp aria-hidden className="size-4" />
          </IconButton>
        )}
        {!last && (
          <IconButton label={s.down(title)} onClick={() => onMove(place + 1)}>
            <ArrowDown aria-hidden className="size-4" />
          </IconButton>
        )}
        <IconButton label={s.remove(title)} onClick={onRemove}>
          <X aria-hidden className="size-4" />
        </IconButton>
      </div>
      <div role="group" aria-labelledby={heading} className="grid items-start gap-4 desk:grid-cols-2">
        <SelectField label={s.kind} value={provider.kind} onChange={(event) => change({ kind: event.target.value, fields: {}, key: '' })}>
          {kinds.map(({ kind }) => (
            <option key={kind} value={kind} disabled={operator.allowed != null && !operator.allowed.includes(kind)}>
              {s.kinds[kind] ?? kind}
              {operator.allowed != null && !operator.allowed.includes(kind) ? ` (${s.notAllowed})` : ''}
            </option>
          ))}
        </SelectField>
        <TextField
          label={provider.kind === 'azure' ? s.deployment : s.model}
          required
          maxLength={200}
          autoComplete="off"
          value={provider.model}
          onChange={(event) => change({ model: event.target.value })}
        />
        <KindFields provider={provider} kind={kind} mayBePrivate={operator.you_may_set_private} onChange={change} />
        {place > 0 && (
          <TextField label={s.name} hint={s.nameHint} maxLength={200} value={provider.name} onChange={(event) => change({ name: event.target.value })} />
        )}
      </div>
      <div className="flex flex-wrap items-center gap-3">
        <Button disabled={!complete || attempt.isPending} onClick={() => attempt.mutate(providerOf(provider, kind))}>
          {attempt.isPending ? s.testing : s.test}
        </Button>
        <div role="status" className="min-w-0 flex-1 text-sm [overflow-wrap:anywhere]">
          {attempt.data && (
            <p className={attempt.data.works ? 'text-ok' : 'text-bad'}>
              {attempt.data.works ? s.works : s.worksNot} {attempt.data.says}
            </p>
          )}
        </div>
      </div>
      <Problem error={attempt.error} />
    </Card>
  );
}

/** The fields that this kind has beside its model: what it needs first, then its key, then the rest. */
function KindFields({
  provider,
  kind,
  mayBePrivate,
  onChange,
}: {
  provider: ProviderDraft;
  kind: LlmKind | undefined;
  mayBePrivate: boolean;
  onChange: (part: Partial<ProviderDraft>) => void;
}) {
  const field = (name: Field, required: boolean) => (
    <TextField
      key={name}
      label={s.fields[name] ?? name}
      required={required}
      type={name === 'session_token' ? 'password' : name === 'context_tokens' ? 'number' : name === 'base_url' ? 'url' : 'text'}
      min={name === 'context_tokens' ? 1 : undefined}
      autoComplete="off"
      placeholder={s.examples[name]}
      hint={name === 'base_url' ? addressHint(kind, mayBePrivate) : undefined}
      value={provider.fields[name] ?? ''}
      onChange={(event) => onChange({ fields: { ...provider.fields, [name]: event.target.value } })}
    />
  );
  const kept = keepsKey(provider);
  const keyLabel = provider.kind === 'vertex' ? s.vertexKey : provider.kind === 'bedrock' ? s.bedrockKey : kind?.needs_key ? s.key : s.keyOptional;
  return (
    <>
      {FIELDS.filter((name) => name === kind?.needs).map((name) => field(name, true))}
      <TextField
        label={keyLabel}
        type="password"
        required={Boolean(kind?.needs_key) && !kept}
        maxLength={16_384}
        autoComplete="new-password"
        hint={kept ? s.keyKept : provider.storedFor !== null ? s.keyGone : s.keyHint}
        value={provider.key}
        onChange={(event) => onChange({ key: event.target.value })}
      />
      {FIELDS.filter((name) => kind?.takes.includes(name)).map((name) => field(name, false))}
      {kind?.takes.includes('native_tools') && (
        <div className="desk:pt-6">
          <CheckField
            label={s.nativeTools}
            hint={s.nativeHint}
            checked={provider.nativeTools}
            onChange={(event) => onChange({ nativeTools: event.target.checked })}
          />
        </div>
      )}
    </>
  );
}

function addressHint(kind: LlmKind | undefined, mayBePrivate: boolean): string | undefined {
  const said = [kind?.usual_address ? s.usual(kind.usual_address) : '', mayBePrivate ? '' : s.notPrivate];
  return said.filter(Boolean).join('. ') || undefined;
}
