import { ChevronRight, RefreshCw } from 'lucide-react';
import { useId } from 'react';
import type { Autonomy, Connector, Tool } from '../../api/types';
import { strings } from '../../strings';
import { Badge, Dot } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Card } from '../../ui/screen';
import { Sentence } from '../../ui/sentence';
import { Problem } from '../../ui/states';
import { Moment } from '../../ui/time';
import { riskTone } from '../approvals/look';
import { useIsAdmin } from '../session/queries';
import { Grant } from './grant';
import { connectorTone } from './look';
import { useConnector } from './queries';

const s = strings.connectors;
const LEVELS: Autonomy[] = ['investigate', 'propose', 'act'];

export function ConnectorCard({ connector }: { connector: Connector }) {
  const admin = useIsAdmin();
  const { setAutonomy, test } = useConnector(connector.name);
  return (
    <Card className="flex flex-col overflow-hidden">
      <div className="flex flex-col gap-4 p-5">
        <header className="flex flex-col items-start gap-3 desk:flex-row desk:gap-4">
          <div className="min-w-0 desk:flex-1">
            <h2 className="flex flex-wrap items-center gap-x-2.5 gap-y-1 text-lg font-semibold">
              {connector.title || connector.name}
              <Badge tone={connectorTone[connector.state]}>
                <Dot tone={connectorTone[connector.state]} alive={connector.state === 'connecting'} />
                {strings.connectorState[connector.state]}
              </Badge>
            </h2>
            <p className="text-soft">{connector.description}</p>
            <p className="mt-0.5 text-xs text-faint">
              <span className="font-mono">{connector.name}</span> · {connector.kind}
              {connector.since && (
                <>
                  {' '}
                  · {s.since} <Moment at={connector.since} />
                </>
              )}
            </p>
          </div>
          {admin && (
            <Button disabled={test.isPending} onClick={() => test.mutate()}>
              <RefreshCw aria-hidden className="size-4" />
              {test.isPending ? s.testing : s.test}
            </Button>
          )}
        </header>
        {connector.last_error && (
          <p className="rounded-lg bg-bad-soft px-3 py-2 text-sm [overflow-wrap:anywhere] text-bad">
            <Sentence text={connector.last_error} />
          </p>
        )}
        {connector.warnings.map((warning) => (
          <p key={warning} className="rounded-lg bg-warn-soft px-3 py-2 text-sm [overflow-wrap:anywhere] text-warn">
            <Sentence text={warning} />
          </p>
        ))}
        <AutonomyChoice value={connector.autonomy} disabled={!admin || setAutonomy.isPending} onChange={(next) => setAutonomy.mutate(next)} />
        <Problem error={setAutonomy.error ?? test.error} />
        <Grant connector={connector} admin={admin} />
      </div>
      {connector.tools.length > 0 && (
        <details className="group/tools border-t border-line">
          <summary className="flex items-center gap-1.5 px-5 py-2.5 text-sm text-soft outline-offset-[-2px] hover:text-ink">
            <ChevronRight aria-hidden className="size-4 transition-transform group-open/tools:rotate-90" />
            {s.tools(connector.tools.length)}
          </summary>
          <Tools tools={connector.tools} />
        </details>
      )}
    </Card>
  );
}

function AutonomyChoice({ value, disabled, onChange }: { value: Autonomy; disabled: boolean; onChange: (next: Autonomy) => void }) {
  const name = useId();
  return (
    <fieldset className="flex flex-col gap-2" disabled={disabled}>
      <legend className="mb-2 text-sm font-medium">{s.autonomy}</legend>
      <div className="grid gap-2 desk:grid-cols-3">
        {LEVELS.map((level) => (
          <label
            key={level}
            className={`flex gap-2.5 rounded-lg border p-3 ${value === level ? 'border-accent bg-accent-soft' : 'border-line'} ${disabled ? '' : 'cursor-pointer hover:border-line-strong'}`}
          >
            <input
              type="radio"
              name={name}
              checked={value === level}
              onChange={() => onChange(level)}
              aria-label={strings.autonomy[level]}
              aria-describedby={`${name}-${level}`}
              className="mt-0.5 size-4 shrink-0 accent-(--accent)"
            />
            <span>
              <span className="block text-sm font-medium">{strings.autonomy[level]}</span>
              <span id={`${name}-${level}`} className="block text-xs text-soft">
                {strings.autonomyMeans[level]}
              </span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Tools({ tools }: { tools: Tool[] }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="overflow-x-auto px-5 pb-4" tabIndex={0} role="group" aria-label={s.tools(tools.length)}>
      <table className="w-full text-sm">
        <thead>
          <tr className="text-left text-xs text-faint">
            <th scope="col" className="py-1.5 pr-4 font-medium">{s.tool}</th>
            <th scope="col" className="py-1.5 pr-4 font-medium">{s.role}</th>
            <th scope="col" className="py-1.5 pr-4 font-medium">{s.access}</th>
            <th scope="col" className="py-1.5 font-medium">{s.risk}</th>
          </tr>
        </thead>
        <tbody>
          {tools.map((tool) => (
            <tr key={tool.name} className="border-t border-line align-top">
              <td className="py-2 pr-4">
                <span className="font-mono text-xs">{tool.name}</span>
                <span className="block text-xs text-soft">{tool.description}</span>
                {tool.suspended && (
                  <span className="mt-1 block text-xs text-warn">
                    <Badge tone="warn">{s.suspended}</Badge> {tool.suspended_because}. {s.usedAs}
                  </span>
                )}
              </td>
              <td className="py-2 pr-4 font-mono text-xs whitespace-nowrap text-soft">{tool.role ?? '–'}</td>
              <td className="py-2 pr-4">
                <Badge tone={tool.access === 'write' ? 'warn' : 'neutral'}>{tool.access === 'write' ? s.write : s.read}</Badge>
              </td>
              <td className="py-2">{tool.access === 'write' ? <Badge tone={riskTone(tool.risk)}>{tool.risk}</Badge> : <span className="text-xs text-faint">{tool.risk}</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
