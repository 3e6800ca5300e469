import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { CreatedToken, Scope, Token } from '../../api/types';
import { strings } from '../../strings';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/field';
import { Card } from '../../ui/screen';
import { Failure, Problem, Skeleton } from '../../ui/states';
import { Moment } from '../../ui/time';
import { tokensQuery, useAddToken, useRevokeToken } from './queries';

const s = strings.settings;
const SCOPES: Scope[] = ['tickets:write', 'read', 'admin'];
const USUAL_DAYS = 90;

export function Tokens() {
  const tokens = useQuery(tokensQuery);
  const [adding, setAdding] = useState(false);
  const [created, setCreated] = useState<CreatedToken | null>(null);
  return (
    <section aria-labelledby="tokens" className="flex flex-col gap-3">
      <div className="flex items-center justify-between gap-4">
        <div>
          <h2 id="tokens" className="text-lg font-semibold">
            {s.tokens}
          </h2>
          <p className="text-sm text-soft">{s.tokensIntro}</p>
        </div>
        {!adding && <Button onClick={() => setAdding(true)}>{s.addToken}</Button>}
      </div>
      {created && <Secret created={created} onDone={() => setCreated(null)} />}
      {adding && (
        <AddToken
          onDone={(token) => {
            setAdding(false);
            if (token) setCreated(token);
          }}
        />
      )}
      {tokens.isPending ? (
        <Skeleton lines={2} />
      ) : tokens.error ? (
        <Failure what={s.tokensFailed} error={tokens.error} retry={() => void tokens.refetch()} />
      ) : tokens.data.items.length === 0 ? (
        <p className="text-sm text-faint">{s.noTokens}</p>
      ) : (
        <Card>
          <ul className="divide-y divide-line">
            {tokens.data.items.map((token) => (
              <TokenRow key={token.id} token={token} />
            ))}
          </ul>
        </Card>
      )}
    </section>
  );
}

function TokenRow({ token }: { token: Token }) {
  const revoke = useRevokeToken();
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-3">
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{token.name}</span>
        <span className="block text-xs text-faint">
          {token.expires_at ? <>{s.expires} <Moment at={token.expires_at} /></> : s.neverExpires} · {s.lastUsed} {token.last_used_at ? <Moment at={token.last_used_at} /> : s.never}
        </span>
        <Problem error={revoke.error} />
      </span>
      {token.scopes.map((scope) => (
        <Badge key={scope}>{strings.scope[scope]}</Badge>
      ))}
      {token.sources.map((source) => (
        <Badge key={source}>{s.speaksFor(source)}</Badge>
      ))}
      <Button look="danger" size="small" disabled={revoke.isPending} onClick={() => revoke.mutate(token.id)}>
        {revoke.isPending ? s.revoking : s.revoke}
      </Button>
    </li>
  );
}

/** The secret, shown this once. */
function Secret({ created, onDone }: { created: CreatedToken; onDone: () => void }) {
  const [copied, setCopied] = useState(false);
  return (
    <Card className="flex flex-col gap-2 border-ok p-5">
      <p className="font-medium">{s.secretOnce}</p>
      <code className="rounded-lg bg-sunken p-3 font-mono text-sm break-all select-all">{created.token}</code>
      <div className="flex gap-2">
        <Button onClick={() => void navigator.clipboard.writeText(created.token).then(() => setCopied(true))}>{copied ? s.copied : s.copy}</Button>
        <Button look="quiet" onClick={onDone}>
          {strings.close}
        </Button>
      </div>
    </Card>
  );
}

function AddToken({ onDone }: { onDone: (token?: CreatedToken) => void }) {
  const [name, setName] = useState('');
  const [days, setDays] = useState(USUAL_DAYS);
  const [scopes, setScopes] = useState<Scope[]>(['tickets:write']);
  const [sources, setSources] = useState('');
  const add = useAddToken();
  const handsIn = scopes.includes('tickets:write');
  return (
    <Card className="p-5">
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const named = handsIn ? sources.split(',').map((source) => source.trim()) : [];
          add.mutate({ name, scopes, sources: named.filter(Boolean), days }, { onSuccess: (token) => onDone(token) });
        }}
      >
        <div className="grid gap-4 desk:grid-cols-2">
          <TextField label={s.tokenName} required value={name} onChange={(event) => setName(event.target.value)} />
          <TextField
            label={s.days}
            type="number"
            min={1}
            max={365}
            required
            value={days}
            onChange={(event) => setDays(event.target.valueAsNumber || USUAL_DAYS)}
          />
        </div>
        <fieldset className="flex flex-wrap gap-x-5 gap-y-2">
          <legend className="mb-1 text-sm font-medium">{s.scopes}</legend>
          {SCOPES.map((scope) => (
            <label key={scope} className="flex items-center gap-2">
              <input
                type="checkbox"
                className="size-4 accent-(--accent)"
                checked={scopes.includes(scope)}
                onChange={(event) => setScopes(event.target.checked ? [...scopes, scope] : scopes.filter((other) => other !== scope))}
              />
              {strings.scope[scope]}
            </label>
          ))}
        </fieldset>
        {handsIn && <TextField label={s.tokenSources} hint={s.tokenSourcesHint} value={sources} onChange={(event) => setSources(event.target.value)} />}
        <Problem error={add.error} />
        <div className="flex gap-2">
          <Button look="primary" type="submit" disabled={add.isPending || scopes.length === 0}>
            {add.isPending ? s.making : s.addToken}
          </Button>
          <Button look="quiet" onClick={() => onDone()}>
            {strings.cancel}
          </Button>
        </div>
      </form>
    </Card>
  );
}
