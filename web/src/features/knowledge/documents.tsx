import { useInfiniteQuery } from '@tanstack/react-query';
import { FileText } from 'lucide-react';
import { useRef } from 'react';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { useRowKeys } from '../../ui/keys';
import { Card } from '../../ui/screen';
import { Failure, Skeleton } from '../../ui/states';
import { Moment } from '../../ui/time';
import { documentsQuery } from './queries';

const s = strings.knowledge;

export function Documents({ onOpen }: { onOpen: (id: string) => void }) {
  const documents = useInfiniteQuery(documentsQuery);
  const list = useRef<HTMLUListElement>(null);
  useRowKeys(list);
  const rows = documents.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-labelledby="documents" className="flex flex-col gap-3">
      <h2 id="documents" className="font-semibold">
        {s.documents}
      </h2>
      {documents.isPending ? (
        <Skeleton lines={4} />
      ) : documents.error && rows.length === 0 ? (
        <Failure what={s.documentsFailed} error={documents.error} retry={() => void documents.refetch()} />
      ) : rows.length === 0 ? (
        <p className="text-sm text-soft">{s.noDocuments}</p>
      ) : (
        <Card className="overflow-hidden">
          <ul ref={list} className="divide-y divide-line">
            {rows.map((document) => (
              <li key={document.id}>
                <button
                  type="button"
                  data-row=""
                  onClick={() => onOpen(document.id)}
                  className="flex w-full items-center gap-3 px-4 py-2.5 text-left outline-offset-[-2px] hover:bg-hover"
                >
                  <FileText aria-hidden className="size-4 shrink-0 text-faint" strokeWidth={1.75} />
                  <span className="min-w-0 flex-1">
                    <span className="block truncate font-medium">{document.title || document.path}</span>
                    <span className="block truncate text-xs text-faint">{document.path}</span>
                  </span>
                  <span className="text-right text-xs whitespace-nowrap text-faint">
                    <span className="block">{s.passages(document.chunks)}</span>
                    {document.updated_at && <Moment at={document.updated_at} />}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </Card>
      )}
      {documents.hasNextPage && (
        <div className="text-center">
          <Button size="small" disabled={documents.isFetchingNextPage} onClick={() => void documents.fetchNextPage()}>
            {strings.more}
          </Button>
        </div>
      )}
    </section>
  );
}
