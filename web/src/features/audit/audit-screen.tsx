/** The record of everything that happened, and whether it is whole. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { ShieldAlert, ShieldCheck } from 'lucide-react';
import { Link } from 'react-router';
import type { AuditEntry, AuditVerdict } from '../../api/types';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { Card, Screen } from '../../ui/screen';
import { Empty, Failure, Skeleton } from '../../ui/states';
import { Moment } from '../../ui/time';
import { useSession } from '../session/queries';
import { auditQuery, useVerify } from './queries';

const s = strings.audit;

export function AuditScreen() {
  const audit = useInfiniteQuery(auditQuery);
  const verify = useVerify();
  const entries = audit.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Screen
      title={s.title}
      intro={s.intro}
      actions={
        <Button look="primary" disabled={verify.isPending} onClick={() => verify.mutate()}>
          <ShieldCheck aria-hidden className="size-4" />
          {verify.isPending ? s.verifying : s.verify}
        </Button>
      }
    >
      {verify.data && <Result verdict={verify.data} />}
      {verify.error && <Failure what={s.verifyFailed} error={verify.error} />}
      {audit.isPending ? (
        <Skeleton />
      ) : audit.error && entries.length === 0 ? (
        <Failure what={s.failed} error={audit.error} retry={() => void audit.refetch()} />
      ) : entries.length === 0 ? (
        <Empty title={s.empty} hint={s.emptyHint} />
      ) : (
        <Entries entries={entries} />
      )}
      {audit.hasNextPage && (
        <div className="text-center">
          <Button size="small" disabled={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>
            {strings.more}
          </Button>
        </div>
      )}
    </Screen>
  );
}

function Result({ verdict }: { verdict: AuditVerdict }) {
  return verdict.ok ? (
    <p role="status" className="flex items-center gap-2.5 rounded-xl bg-ok-soft px-4 py-3 text-ok">
      <ShieldCheck aria-hidden className="size-5 shrink-0" />
      {s.good(verdict.entries)}
    </p>
  ) : (
    <div role="alert" className="flex gap-2.5 rounded-xl bg-bad-soft px-4 py-3 text-bad">
      <ShieldAlert aria-hidden className="mt-0.5 size-5 shrink-0" />
      <div>
        <p className="font-semibold">{s.bad}</p>
        <p>{verdict.problem}</p>
      </div>
    </div>
  );
}

function Entries({ entries }: { entries: AuditEntry[] }) {
  const you = `user:${useSession().user.id}`;
  const head = 'px-4 py-2 text-left font-medium';
  const cell = 'px-4 py-2 align-top';
  return (
    <Card>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="overflow-x-auto" tabIndex={0} role="group" aria-label={s.title}>
        <table className="w-full text-sm">
          <thead>
            <tr className="border-b border-line text-xs text-faint">
              <th scope="col" className={head}>{s.seq}</th>
              <th scope="col" className={head}>{s.when}</th>
              <th scope="col" className={head}>{s.action}</th>
              <th scope="col" className={head}>{s.actor}</th>
              <th scope="col" className={head}>{s.object}</th>
              <th scope="col" className={head}>{s.hash}</th>
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {entries.map((entry) => (
              <tr key={entry.seq}>
                <td className={`${cell} text-right text-faint`}>{entry.seq}</td>
                <td className={cell}>
                  <Moment at={entry.ts} className="text-soft" />
                </td>
                <td className={`${cell} font-medium`}>{entry.action}</td>
                <Short className={cell} text={entry.actor === you ? strings.you : entry.actor} title={entry.actor} />
                <Short className={cell} text={entry.object} to={addressOf(entry.object)} />
                <td title={entry.hash} className={`${cell} font-mono text-xs text-faint`}>{entry.hash.slice(0, 10)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

const LONGEST = 22;

/** Where the thing with this id is shown. */
function addressOf(id: string): string | undefined {
  if (id.startsWith('tkt_')) return `/inbox/${id}`;
  if (id.startsWith('act_')) return `/approvals/${id}`;
  return undefined;
}

/** An id of which the end says enough; all of it on hover. */
function Short({ text, title = text, className, to }: { text: string; title?: string; className: string; to?: string | undefined }) {
  const short = text.length > LONGEST ? `${text.slice(0, 10)}…${text.slice(-6)}` : text;
  return (
    <td title={title} className={`${className} font-mono text-xs whitespace-nowrap text-soft`}>
      {to ? (
        <Link to={to} className="underline decoration-line-strong underline-offset-2 hover:text-ink">
          {short}
        </Link>
      ) : (
        short
      )}
    </td>
  );
}
