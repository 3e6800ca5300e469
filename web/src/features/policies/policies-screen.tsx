/** The rules that hold, whose they are, and a place to make more of them. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { PolicyFile, PolicyList } from '../../api/types';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { Card, Screen } from '../../ui/screen';
import { Empty, Failure, Skeleton } from '../../ui/states';
import { useSession } from '../session/queries';
import { Attempt } from './attempt';
import { Editor, type Edited } from './editor';
import { FileCard } from './file-card';
import { policiesQuery, usePutPolicy } from './queries';

const s = strings.policies;
const ORIGINS = ['workspace', 'operator', 'built_in'] as const;

export function PoliciesScreen() {
  const policies = useQuery(policiesQuery);
  return (
    <Screen title={s.title} intro={s.intro}>
      {policies.isPending ? (
        <Skeleton lines={4} />
      ) : policies.error ? (
        <Failure what={s.failed} error={policies.error} retry={() => void policies.refetch()} />
      ) : (
        <Policies list={policies.data} />
      )}
    </Screen>
  );
}

function Policies({ list }: { list: PolicyList }) {
  const admin = useSession().user.role === 'admin';
  const [edited, setEdited] = useState<Edited | null>(null);
  const [deleted, setDeleted] = useState<PolicyFile | null>(null);
  const [trying, setTrying] = useState(false);
  const own = list.items.filter((file) => file.origin === 'workspace');
  const begin = (next: Edited) => {
    setDeleted(null);
    setTrying(false);
    setEdited(next);
  };
  return (
    <>
      {list.problem && (
        <p role="alert" className="rounded-lg bg-bad-soft px-4 py-3 text-sm [overflow-wrap:anywhere] text-bad">
          {s.problem} {list.problem}
        </p>
      )}
      {deleted && <Deleted file={deleted} onDone={() => setDeleted(null)} />}
      {edited ? (
        <Editor key={edited.file?.name ?? ''} edited={edited} list={list} onDone={() => setEdited(null)} />
      ) : trying ? (
        <Card className="p-5">
          <Attempt tools={list.tools} onClose={() => setTrying(false)} />
        </Card>
      ) : (
        <div className="flex flex-wrap gap-2">
          {admin && (
            <>
              <Button look="primary" onClick={() => begin({ as: 'form' })}>
                {s.add}
              </Button>
              <Button onClick={() => begin({ as: 'text' })}>{s.write}</Button>
            </>
          )}
          <Button onClick={() => setTrying(true)}>{s.try}</Button>
        </div>
      )}
      {ORIGINS.map((origin) => {
        const files = list.items.filter((file) => file.origin === origin);
        if (files.length === 0 && (origin !== 'workspace' || edited)) return null;
        return (
          <section key={origin} aria-labelledby={`rules-${origin}`} className="flex flex-col gap-3">
            <div>
              <h2 id={`rules-${origin}`} className="text-lg font-semibold">
                {s.origin[origin]}
              </h2>
              <p className="text-sm text-soft">{s.originHint[origin]}</p>
            </div>
            {origin === 'workspace' && own.length === 0 ? (
              <Card>
                <Empty title={s.empty} hint={admin ? s.emptyHint : s.viewerOnly} />
              </Card>
            ) : (
              files.map((file) => (
                <FileCard key={file.name} file={file} mayChange={admin && origin === 'workspace'} onEdit={begin} onDeleted={setDeleted} />
              ))
            )}
          </section>
        );
      })}
    </>
  );
}

/** What was just deleted, and a way back. */
function Deleted({ file, onDone }: { file: PolicyFile; onDone: () => void }) {
  const put = usePutPolicy();
  return (
    <div role="status" className="flex flex-wrap items-center gap-3 rounded-xl border border-line bg-surface px-4 py-3 text-sm">
      <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">{put.error ? put.error.message : s.deleted(file.name)}</span>
      <Button size="small" disabled={put.isPending} onClick={() => put.mutate({ name: file.name, text: file.text }, { onSuccess: onDone })}>
        {s.undo}
      </Button>
      <Button size="small" look="quiet" onClick={onDone}>
        {strings.close}
      </Button>
    </div>
  );
}
