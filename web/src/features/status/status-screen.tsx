/** Whether everything works. */
import { useQuery } from '@tanstack/react-query';
import { CircleCheck, TriangleAlert } from 'lucide-react';
import { Link } from 'react-router';
import type { ReactNode } from 'react';
import type { Status } from '../../api/types';
import { strings } from '../../strings';
import { Dot } from '../../ui/badge';
import { Card, Screen } from '../../ui/screen';
import { Failure, Skeleton } from '../../ui/states';
import { span } from '../../ui/time';
import { connectorTone } from '../connectors/look';
import { statusQuery } from './queries';

const s = strings.status;

export function StatusScreen() {
  const status = useQuery(statusQuery);
  return (
    <Screen title={s.title}>
      {status.data ? (
        <Everything status={status.data} />
      ) : status.error ? (
        <Failure what={s.failed} error={status.error} retry={() => void status.refetch()} />
      ) : (
        <Skeleton lines={4} />
      )}
    </Screen>
  );
}

function Everything({ status }: { status: Status }) {
  const problems = problemsOf(status);
  const oldest = status.queue.oldest_seconds;
  return (
    <>
      <div className={`flex items-start gap-2.5 rounded-xl px-4 py-3 ${problems.length === 0 ? 'bg-ok-soft text-ok' : 'bg-warn-soft text-warn'}`}>
        {problems.length === 0 ? <CircleCheck aria-hidden className="size-5 shrink-0" /> : <TriangleAlert aria-hidden className="size-5 shrink-0" />}
        <div className="min-w-0">
          <p className="font-medium">{problems.length === 0 ? s.allGood : s.attention}</p>
          {problems.length > 0 && (
            <ul className="text-sm [overflow-wrap:anywhere]">
              {problems.map((problem) => (
                <li key={problem}>{problem}</li>
              ))}
            </ul>
          )}
        </div>
      </div>
      <div className="grid gap-4 desk:grid-cols-2">
        <Facts title={strings.name}>
          <Fact name={s.version}>{status.version}</Fact>
          <Fact name={s.brain}>{status.brain === 'builtin' ? s.builtin : status.brain}</Fact>
          <Fact name={s.database}>{status.database}</Fact>
        </Facts>
        <Facts title={s.queue}>
          <Fact name={s.ready}>{status.queue.ready.toLocaleString()}</Fact>
          <Fact name={s.leased}>{status.queue.leased.toLocaleString()}</Fact>
          <Fact name={s.oldest}>{oldest == null ? s.noneWaits : span(oldest * 1000)}</Fact>
          {status.queue.dead > 0 && (
            <Fact name={s.dead}>
              <span className="font-medium text-bad">{status.queue.dead.toLocaleString()}</span>
            </Fact>
          )}
        </Facts>
        <Facts title={strings.frame.knowledge}>
          <Fact name={s.embedding}>{status.embedding.model}</Fact>
          <Fact name={s.pending}>{status.embedding.pending === 0 ? s.allEmbedded : status.embedding.pending.toLocaleString()}</Fact>
        </Facts>
        <Facts title={s.connectors}>
          {status.connectors.length === 0 && <p className="text-sm text-soft">{s.noConnectors}</p>}
          {status.connectors.map((connector) => (
            <Fact
              key={connector.name}
              name={
                <Link to="/connectors" className="hover:underline">
                  {connector.name}
                </Link>
              }
            >
              <span className="inline-flex items-center gap-2" title={connector.last_error ?? undefined}>
                <Dot tone={connectorTone[connector.state]} />
                {strings.connectorState[connector.state]}
              </span>
            </Fact>
          ))}
        </Facts>
      </div>
      <p className="text-sm text-faint">
        <a href="/licences.txt" className="hover:underline">
          {s.licences}
        </a>
      </p>
    </>
  );
}

function problemsOf(status: Status): string[] {
  const broken = status.connectors.filter((connector) => connector.state === 'down' || connector.state === 'suspended');
  const problems = broken.map(({ name, state, last_error: why }) => s.connectorProblem(name, strings.connectorState[state], why));
  if (status.queue.dead > 0) problems.push(s.deadProblem(status.queue.dead));
  return problems;
}

function Facts({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card className="flex flex-col gap-2 p-5">
      <h2 className="font-semibold">{title}</h2>
      <dl className="flex flex-col gap-1.5">{children}</dl>
    </Card>
  );
}

function Fact({ name, children }: { name: ReactNode; children: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-4">
      <dt className="shrink-0 text-soft">{name}</dt>
      <dd className="min-w-0 truncate text-right">{children}</dd>
    </div>
  );
}
