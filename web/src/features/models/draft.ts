/** What somebody is about to set: the server's settings as fields of a form, and back. */
import type { LlmKind, LlmSettings, NewLlmProvider, NewLlmSettings } from '../../api/types';

export const PURPOSES = ['classify', 'investigate', 'answer'] as const;
export type Purpose = (typeof PURPOSES)[number];

/** The fields that only some kinds of providers have. */
export const FIELDS = ['base_url', 'region', 'project', 'access_key_id', 'session_token', 'api_version', 'context_tokens'] as const;
export type Field = (typeof FIELDS)[number];

export type ProviderDraft = {
  /** Tells one from another while they move. */
  id: number;
  kind: string;
  name: string;
  model: string;
  /** Empty keeps what is stored. */
  key: string;
  nativeTools: boolean;
  fields: Partial<Record<Field, string>>;
  /** Where the stored key belongs to; none when none is stored. */
  storedFor: string | null;
};

export type PurposeDraft = { model: string; temperature: string; output: string; seconds: string };

export type Draft = {
  providers: ProviderDraft[];
  localOnly: boolean;
  allowed: string[] | null;
  purposes: Record<Purpose, PurposeDraft>;
  /** Which providers a purpose asks; set over the API, and kept. */
  order: Partial<Record<Purpose, string[]>>;
  tokens: string;
  dollars: string;
};

const MICRO = 1_000_000;
let last = 0;

export function newProvider(kind: string): ProviderDraft {
  return { id: ++last, kind, name: '', model: '', key: '', nativeTools: true, fields: {}, storedFor: null };
}

/** What a stored key is bound to, as the server sees it. */
function place(provider: Pick<ProviderDraft, 'kind' | 'name' | 'fields'>): string {
  const address = (provider.fields.base_url ?? '').trim().replace(/\/+$/, '');
  return [provider.name.trim() || provider.kind, provider.kind, address, provider.fields.region ?? ''].join(' ');
}

export const keepsKey = (provider: ProviderDraft): boolean => provider.storedFor === place(provider);

export function draftOf({ own }: LlmSettings): Draft {
  const purpose = (name: Purpose): PurposeDraft => {
    const set = own.purposes[name];
    return { model: set?.model ?? '', temperature: text(set?.temperature), output: text(set?.max_output_tokens), seconds: text(set?.seconds) };
  };
  return {
    providers: own.providers.map((set) => {
      const draft: ProviderDraft = { ...newProvider(set.kind), name: set.name === set.kind ? '' : set.name, model: set.model, nativeTools: set.native_tools };
      for (const field of FIELDS) {
        if (field !== 'session_token' && set[field] != null) draft.fields[field] = String(set[field]);
      }
      return { ...draft, storedFor: set.has_key ? place(draft) : null };
    }),
    localOnly: own.local_only,
    allowed: own.allowed,
    purposes: { classify: purpose('classify'), investigate: purpose('investigate'), answer: purpose('answer') },
    order: Object.fromEntries(PURPOSES.map((name) => [name, own.purposes[name]?.providers ?? []])),
    tokens: text(own.tokens_per_day),
    dollars: own.micro_usd_per_day == null ? '' : String(own.micro_usd_per_day / MICRO),
  };
}

export function providerOf(draft: ProviderDraft, kind: LlmKind | undefined): NewLlmProvider {
  const known: string[] = kind ? [...kind.takes, ...(kind.needs ? [kind.needs] : [])] : [...FIELDS];
  const provider: NewLlmProvider = { kind: draft.kind, model: draft.model.trim(), native_tools: draft.nativeTools };
  if (draft.name.trim()) provider.name = draft.name.trim();
  if (draft.key !== '') provider.api_key = draft.key;
  for (const field of FIELDS) {
    const value = (draft.fields[field] ?? '').trim();
    if (value === '' || !known.includes(field)) continue;
    if (field === 'context_tokens') provider.context_tokens = number(value);
    else provider[field] = value;
  }
  return provider;
}

export function settingsOf(draft: Draft, kinds: LlmKind[]): NewLlmSettings {
  const purposes: NonNullable<NewLlmSettings['purposes']> = {};
  for (const name of PURPOSES) {
    const { model, temperature, output, seconds } = draft.purposes[name];
    const providers = draft.order[name] ?? [];
    if (!model && !temperature && !output && !seconds && providers.length === 0) continue;
    purposes[name] = { providers, model: model.trim() || null, temperature: number(temperature), max_output_tokens: number(output), seconds: number(seconds) };
  }
  const dollars = number(draft.dollars);
  return {
    providers: draft.providers.map((provider) => providerOf(provider, kinds.find(({ kind }) => kind === provider.kind))),
    local_only: draft.localOnly,
    allowed: draft.allowed,
    purposes,
    tokens_per_day: number(draft.tokens),
    micro_usd_per_day: dollars === null ? null : Math.round(dollars * MICRO),
  };
}

export function moved<T>(list: T[], from: number, to: number): T[] {
  const next = [...list];
  const [taken] = next.splice(from, 1);
  if (taken !== undefined) next.splice(to, 0, taken);
  return next;
}

function text(value: number | null | undefined): string {
  return value == null ? '' : String(value);
}

function number(value: string): number | null {
  const parsed = Number(value);
  return value.trim() === '' || !Number.isFinite(parsed) ? null : parsed;
}
