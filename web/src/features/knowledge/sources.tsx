import { useQuery } from '@tanstack/react-query';
import { ChevronRight, FolderOpen } from 'lucide-react';
import type { KnowledgeSource } from '../../api/types';
import { strings } from '../../strings';
import { Meter } from '../../ui/meter';
import { Card } from '../../ui/screen';
import { Empty, Failure, Skeleton } from '../../ui/states';
import { Moment } from '../../ui/time';
import { sourcesQuery } from './queries';

const s = strings.knowledge;

export function Sources() {
  const sources = useQuery(sourcesQuery);
  if (sources.isPending) return <Skeleton lines={2} />;
  if (sources.error) return <Failure what={s.sourcesFailed} error={sources.error} retry={() => void sources.refetch()} />;
  if (sources.data.sources.length === 0) return <Empty title={s.noSources} hint={s.noSourcesHint} />;
  const { totals } = sources.data;
  return (
    <section aria-labelledby="sources" className="flex flex-col gap-3">
      <div className="flex items-baseline gap-3">
        <h2 id="sources" className="font-semibold">
          {s.sources}
        </h2>
        <p className="text-sm text-faint">{s.totals(totals.documents, totals.chunks)}</p>
      </div>
      <ul className="grid gap-3 desk:grid-cols-2">
        {sources.data.sources.map((source) => (
          <li key={source.id}>
            <SourceCard source={source} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function SourceCard({ source }: { source: KnowledgeSource }) {
  const learning = source.embedded < source.chunks;
  return (
    <Card className="flex h-full flex-col gap-2 p-4">
      <div className="flex items-center gap-2.5">
        <FolderOpen aria-hidden className="size-4.5 shrink-0 text-faint" strokeWidth={1.75} />
        <h3 className="min-w-0 flex-1 truncate font-semibold">{source.name}</h3>
        <span className="text-xs text-faint">
          {source.last_sync ? (
            <>
              {s.synced} <Moment at={source.last_sync} />
            </>
          ) : (
            s.neverSynced
          )}
        </span>
      </div>
      <p title={source.location} className="truncate font-mono text-xs text-faint">
        {source.location}
      </p>
      <p className="text-sm text-soft">
        {s.totals(source.documents, source.chunks)}
      </p>
      {source.skipped > 0 && (
        <details className="group/skipped text-sm">
          <summary className="inline-flex items-center gap-1 rounded-md text-warn">
            <ChevronRight aria-hidden className="size-3.5 transition-transform group-open/skipped:rotate-90" />
            {s.skipped(source.skipped)}
          </summary>
          <ul className="mt-1 flex max-h-40 flex-col gap-0.5 overflow-y-auto text-xs text-soft">
            {source.skipped_files.map((file) => (
              <li key={file} className="[overflow-wrap:anywhere]">
                {file}
              </li>
            ))}
          </ul>
        </details>
      )}
      <div className="mt-auto flex flex-col gap-1 pt-1">
        <p className={`text-xs ${learning ? 'text-accent-strong' : 'text-ok'}`}>{s.embedded(source.embedded, source.chunks)}</p>
        {learning && <Meter value={source.embedded / Math.max(1, source.chunks)} label={s.embedded(source.embedded, source.chunks)} />}
      </div>
    </Card>
  );
}
