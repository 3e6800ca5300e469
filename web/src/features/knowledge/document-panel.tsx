import { useQuery } from '@tanstack/react-query';
import { strings } from '../../strings';
import { Drawer } from '../../ui/drawer';
import { Failure, Skeleton } from '../../ui/states';
import { Moment } from '../../ui/time';
import { DocumentText } from './document-text';
import { documentQuery } from './queries';

const s = strings.knowledge;

export type OpenDocument = { id: string; start?: number | undefined; end?: number | undefined };

export function DocumentPanel({ open, onClose }: { open: OpenDocument; onClose: () => void }) {
  const document = useQuery(documentQuery(open.id));
  const passage = open.start !== undefined && open.end !== undefined ? { start: open.start, end: open.end } : undefined;
  return (
    <Drawer
      title={document.data?.title ?? strings.loading}
      subtitle={
        document.data && (
          <>
            {document.data.source} · {document.data.path}
            {document.data.updated_at && (
              <>
                {' '}
                · {s.updated} <Moment at={document.data.updated_at} />
              </>
            )}
          </>
        )
      }
      onClose={onClose}
    >
      {document.data ? (
        <div className="p-5">
          <DocumentText document={document.data} passage={passage} />
        </div>
      ) : document.error ? (
        <Failure what={s.documentFailed} error={document.error} retry={() => void document.refetch()} />
      ) : (
        <Skeleton />
      )}
    </Drawer>
  );
}
