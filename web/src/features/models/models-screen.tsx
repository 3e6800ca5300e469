/** Which language models the workspace asks: the operator's, or its own. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { LlmSettings } from '../../api/types';
import { strings } from '../../strings';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Card, Screen } from '../../ui/screen';
import { Empty, Failure, Problem, Skeleton } from '../../ui/states';
import { useSession } from '../session/queries';
import { draftOf, moved, newProvider, settingsOf, type Draft } from './draft';
import { Limits } from './limits';
import { ProviderForm } from './provider-form';
import { Purposes } from './purposes';
import { modelsQuery, useResetModels, useSetModels } from './queries';

const s = strings.modelSettings;

export function ModelsScreen() {
  const { user } = useSession();
  const admin = user.role === 'admin';
  const models = useQuery({ ...modelsQuery, enabled: admin });
  return (
    <Screen title={s.title} intro={s.intro}>
      {!admin ? (
        <p className="text-soft">{s.adminOnly}</p>
      ) : models.isPending ? (
        <Skeleton lines={4} />
      ) : models.error ? (
        <Failure what={s.failed} error={models.error} retry={() => void models.refetch()} />
      ) : (
        <Models settings={models.data} />
      )}
    </Screen>
  );
}

function Models({ settings }: { settings: LlmSettings }) {
  const [draft, setDraft] = useState<Draft | null>(null);
  const save = useSetModels();
  const shown = draft ?? draftOf(settings);
  const change = (part: Partial<Draft>) => {
    save.reset();
    setDraft({ ...shown, ...part });
  };
  const { providers } = shown;
  const add = () => change({ providers: [...providers, newProvider(usable(settings) ?? 'anthropic')] });
  const nothing = providers.length === 0 && settings.set_by === 'nobody';
  return (
    <>
      {settings.problem && (
        <p role="alert" className="rounded-lg bg-bad-soft px-4 py-3 text-sm [overflow-wrap:anywhere] text-bad">
          {s.problem} {settings.problem}
        </p>
      )}
      {nothing && (
        <Card>
          <Empty title={s.empty} hint={s.emptyHint}>
            <Button look="primary" onClick={add}>
              {s.add}
            </Button>
          </Empty>
        </Card>
      )}
      {settings.operator.providers.length > 0 && <OfOperator settings={settings} replaced={providers.length > 0} onAdd={add} />}
      <form
        className="flex flex-col gap-6"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(settingsOf(shown, settings.kinds), { onSuccess: () => setDraft(null) });
        }}
      >
        {providers.length > 0 && (
          <ol className="flex flex-col gap-4">
            {providers.map((provider, place) => (
              <li key={provider.id}>
                <ProviderForm
                  provider={provider}
                  place={place}
                  last={place === providers.length - 1}
                  settings={settings}
                  onChange={(next) => change({ providers: providers.map((one) => (one.id === provider.id ? next : one)) })}
                  onMove={(to) => change({ providers: moved(providers, place, to) })}
                  onRemove={() => change({ providers: providers.filter((one) => one.id !== provider.id) })}
                />
              </li>
            ))}
          </ol>
        )}
        {providers.length > 0 && providers.length < 8 && (
          <div>
            <Button onClick={add}>{s.addFallback}</Button>
          </div>
        )}
        {(providers.length > 0 || settings.configured) && <Purposes draft={shown} onChange={change} />}
        <Limits draft={shown} operator={settings.operator} onChange={change} />
        <Problem error={save.error} />
        <div className="flex flex-wrap items-center gap-2">
          <Button look="primary" type="submit" disabled={draft === null || save.isPending}>
            {save.isPending ? s.saving : s.save}
          </Button>
          {draft !== null && (
            <Button
              look="quiet"
              onClick={() => {
                save.reset();
                setDraft(null);
              }}
            >
              {s.discard}
            </Button>
          )}
          <p role="status" className="text-sm text-ok">
            {save.isSuccess && draft === null ? s.saved : ''}
          </p>
        </div>
      </form>
      {settings.own.is_set && draft === null && <Reset />}
    </>
  );
}

/** The first kind that the operator allows. */
function usable({ kinds, operator: { allowed } }: LlmSettings): string | undefined {
  return kinds.find(({ kind }) => !allowed || allowed.includes(kind))?.kind;
}

function OfOperator({ settings, replaced, onAdd }: { settings: LlmSettings; replaced: boolean; onAdd: () => void }) {
  return (
    <Card className="flex flex-col gap-3 p-5">
      <div className="flex flex-wrap items-center gap-2">
        <h2 className="font-semibold">{s.setBy.operator}</h2>
        {!replaced && <Badge tone="ok">{s.inUse}</Badge>}
      </div>
      <ol className="flex flex-col gap-1 text-sm">
        {settings.operator.providers.map((provider) => (
          <li key={provider.name} className="flex flex-wrap gap-x-3">
            <span className="font-medium">{s.kinds[provider.kind] ?? provider.kind}</span>
            <span className="[overflow-wrap:anywhere] text-soft">{provider.model}</span>
            {provider.base_url && <span className="[overflow-wrap:anywhere] text-faint">{provider.base_url}</span>}
          </li>
        ))}
      </ol>
      <p className="text-sm text-soft">{replaced ? s.replaces : s.operatorHint}</p>
      {!replaced && (
        <div>
          <Button onClick={onAdd}>{s.add}</Button>
        </div>
      )}
    </Card>
  );
}

function Reset() {
  const reset = useResetModels();
  const [asking, setAsking] = useState(false);
  return (
    <section className="flex flex-col gap-2 border-t border-line pt-5">
      <p className="text-sm text-soft">{s.resetHint}</p>
      <div className="flex gap-2">
        {asking ? (
          <>
            <Button look="danger" disabled={reset.isPending} onClick={() => reset.mutate(undefined)}>
              {reset.isPending ? s.resetting : s.confirmReset}
            </Button>
            <Button look="quiet" onClick={() => setAsking(false)}>
              {strings.cancel}
            </Button>
          </>
        ) : (
          <Button look="danger" onClick={() => setAsking(true)}>
            {s.reset}
          </Button>
        )}
      </div>
      <Problem error={reset.error} />
    </section>
  );
}
