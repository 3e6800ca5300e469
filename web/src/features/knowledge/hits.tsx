import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { ChevronRight, FileText } from 'lucide-react';
import { useRef } from 'react';
import type { Hit } from '../../api/types';
import { strings } from '../../strings';
import { useRowKeys } from '../../ui/keys';
import { plainText } from '../../ui/markdown/plain';
import { Meter } from '../../ui/meter';
import { Card } from '../../ui/screen';
import { Empty, Failure, Skeleton } from '../../ui/states';
import { Moment } from '../../ui/time';
import { searchQuery } from './queries';
import { Why } from './why';
import { piecesOf } from './words';

const s = strings.knowledge;

export function Hits({ q, onOpen }: { q: string; onOpen: (hit: Hit) => void }) {
  const search = useQuery({ ...searchQuery(q), placeholderData: keepPreviousData });
  const list = useRef<HTMLOListElement>(null);
  useRowKeys(list);
  if (search.isPending) return <Skeleton />;
  if (search.error) return <Failure what={s.searchFailed} error={search.error} retry={() => void search.refetch()} />;
  const { hits, seconds } = search.data;
  if (hits.length === 0) return <Empty title={s.nothing} hint={s.nothingHint} />;
  return (
    <div className="flex flex-col gap-3">
      <p role="status" className="text-sm text-faint">
        {s.found(hits.length, seconds)}
      </p>
      <ol ref={list} className="flex flex-col gap-3">
        {hits.map((hit) => (
          <li key={hit.chunk}>
            <HitCard hit={hit} onOpen={() => onOpen(hit)} />
          </li>
        ))}
      </ol>
    </div>
  );
}

function HitCard({ hit, onOpen }: { hit: Hit; onOpen: () => void }) {
  return (
    <Card className="overflow-hidden">
      <button type="button" data-row="" onClick={onOpen} className="flex w-full flex-col gap-1.5 px-4 pt-3.5 pb-3 text-left outline-offset-[-2px] hover:bg-hover">
        <span className="flex w-full items-center gap-2">
          <FileText aria-hidden className="size-4 shrink-0 text-faint" />
          <span className="min-w-0 flex-1 truncate font-semibold">{hit.title || hit.path}</span>
          <Meter value={hit.score} label={`${s.score} ${hit.score.toFixed(2)}`} className="w-16" />
          <span className="text-xs text-soft tabular-nums">{hit.score.toFixed(2)}</span>
        </span>
        <span className="flex w-full items-baseline gap-2 text-xs text-faint">
          <span className="min-w-0 truncate">{hit.heading || hit.path}</span>
          {hit.updated_at && (
            <>
              <span aria-hidden>·</span>
              <Moment at={hit.updated_at} />
            </>
          )}
        </span>
        <span className="line-clamp-3 text-soft [overflow-wrap:anywhere]">
          {piecesOf(plainText(hit.text), hit.explain?.terms.map(({ term }) => term) ?? []).map(({ text, found }, i) =>
            found ? (
              <strong key={i} className="font-semibold text-ink">
                {text}
              </strong>
            ) : (
              text
            ),
          )}
        </span>
      </button>
      {hit.explain && (
        <details className="group/why border-t border-line">
          <summary className="flex items-center gap-1 px-4 py-2 text-sm text-soft outline-offset-[-2px] hover:text-ink">
            <ChevronRight aria-hidden className="size-4 transition-transform group-open/why:rotate-90" />
            {s.whyHit}
          </summary>
          <div className="px-4 pb-4">
            <Why explanation={hit.explain} />
          </div>
        </details>
      )}
    </Card>
  );
}
