/** What a connector may be used for, who said so, and taking it back. */
import { useQuery } from '@tanstack/react-query';
import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import type { Connector, ScopeKind } from '../../api/types';
import { strings } from '../../strings';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { SelectField, TextField } from '../../ui/field';
import { isRecord } from '../../ui/json';
import { Sentence } from '../../ui/sentence';
import { Failure, Problem, Skeleton } from '../../ui/states';
import { Moment } from '../../ui/time';
import { consentsQuery, shadowQuery, useGrant } from './queries';

const s = strings.connectors;
const KINDS: ScopeKind[] = ['read_only', 'read_write', 'dry_run'];

export function Grant({ connector, admin }: { connector: Connector; admin: boolean }) {
  const { grant } = connector;
  const { setScope, revoke } = useGrant(connector.name);
  const [asking, setAsking] = useState(false);
  const [why, setWhy] = useState('');
  return (
    <div className="flex flex-col gap-3">
      {grant.revoked != null && (
        <p className="rounded-lg bg-bad-soft px-3 py-2 text-sm [overflow-wrap:anywhere] text-bad">
          {s.takenBack} {grant.revoked}
        </p>
      )}
      <div className="flex flex-wrap items-end gap-3">
        <SelectField
          label={s.scope}
          disabled={!admin || setScope.isPending}
          value={grant.revoked == null ? grant.scope : ''}
          onChange={(event) => {
            const scope = KINDS.find((kind) => kind === event.target.value);
            if (scope) setScope.mutate(scope);
          }}
        >
          {grant.revoked != null && <option value="">–</option>}
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {s.scopes[kind]}
            </option>
          ))}
          {grant.scope === 'custom' && <option value="custom">{s.scopes.custom}</option>}
        </SelectField>
        {grant.environment && (
          <p className="pb-2 text-sm text-soft">
            {s.environment} <Badge>{grant.environment}</Badge>
          </p>
        )}
        {admin && grant.revoked == null && !asking && (
          <Button look="danger" onClick={() => setAsking(true)}>
            {s.takeBack}
          </Button>
        )}
      </div>
      {grant.scope === 'custom' && grant.revoked == null && (
        <ul className="flex flex-col gap-1 text-xs">
          {grant.tools.map((tool, at) => (
            <li key={at} className="flex flex-wrap gap-2">
              <span className="font-mono">{tool.tool}</span>
              {Object.entries(isRecord(tool.when) ? tool.when : {}).map(([name, condition]) => (
                <span key={name} className="font-mono text-soft">
                  {name} {JSON.stringify(condition)}
                </span>
              ))}
              {tool.dry_run && <Badge tone="warn">{s.scopes.dry_run}</Badge>}
            </li>
          ))}
        </ul>
      )}
      {asking && grant.revoked == null && (
        <form
          className="flex flex-col gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            revoke.mutate(why, { onSuccess: () => setAsking(false) });
          }}
        >
          <TextField label={s.takeBackWhy} hint={s.takeBackHint} value={why} onChange={(event) => setWhy(event.target.value)} />
          <div className="flex gap-2">
            <Button look="danger" type="submit" disabled={revoke.isPending}>
              {revoke.isPending ? s.takingBack : s.confirmTakeBack}
            </Button>
            <Button look="quiet" onClick={() => setAsking(false)}>
              {strings.cancel}
            </Button>
          </div>
        </form>
      )}
      <Problem error={setScope.error ?? revoke.error} />
      <Fold title={s.history}>
        <History name={connector.name} />
      </Fold>
      {grant.scope === 'dry_run' && (
        <Fold title={s.shadow}>
          <Shadow name={connector.name} />
        </Fold>
      )}
    </div>
  );
}

/** Read only when somebody looks. */
function Fold({ title, children }: { title: string; children: React.ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <details className="group/fold" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="flex items-center gap-1.5 text-sm text-soft hover:text-ink">
        <ChevronRight aria-hidden className="size-4 transition-transform group-open/fold:rotate-90" />
        {title}
      </summary>
      <div className="pt-2 pl-5">{open && children}</div>
    </details>
  );
}

function History({ name }: { name: string }) {
  const consents = useQuery(consentsQuery(name));
  if (consents.isPending) return <Skeleton lines={2} />;
  if (consents.error) return <Failure what={s.historyFailed} error={consents.error} retry={() => void consents.refetch()} />;
  if (consents.data.items.length === 0) return <p className="text-sm text-faint">{s.noHistory}</p>;
  return (
    <ul className="flex flex-col gap-1.5 text-sm">
      {consents.data.items.map((consent) => (
        <li key={consent.id} className="flex flex-wrap gap-x-2">
          <span className="font-medium">{s.consentKind[consent.kind]}</span>
          <span className="text-soft">{consent.kind === 'revoked' ? consent.after.revoked : s.scopes[consent.after.scope]}</span>
          <span className="text-faint">
            {s.by} {consent.by}, <Moment at={consent.at} />
          </span>
        </li>
      ))}
    </ul>
  );
}

function Shadow({ name }: { name: string }) {
  const shadow = useQuery(shadowQuery(name));
  if (shadow.isPending) return <Skeleton lines={2} />;
  if (shadow.error) return <Failure what={s.shadowFailed} error={shadow.error} retry={() => void shadow.refetch()} />;
  const report = shadow.data;
  if (report.rehearsals.length === 0) return <p className="text-sm text-faint">{s.noShadow}</p>;
  return (
    <div className="flex flex-col gap-2 text-sm">
      <p>{s.shadowSum(report.would_have_acted, report.would_have_asked)}</p>
      <ul className="flex flex-col gap-2">
        {report.rehearsals.map((rehearsal, at) => (
          <li key={at} className="flex flex-col gap-0.5">
            <span>
              <Sentence text={rehearsal.summary} />
            </span>
            <span className="text-xs text-faint">
              {s.afterwards[rehearsal.afterwards]} · <Moment at={rehearsal.at} />
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
