/** Why a passage was found, in bars: what each word added, how near the meaning is, where it stood. */
import type { Explanation } from '../../api/types';
import { strings } from '../../strings';
import { Meter } from '../../ui/meter';
import { Label } from '../../ui/screen';

const s = strings.knowledge;

export function Why({ explanation }: { explanation: Explanation }) {
  const { terms, bm25, bm25_rank: words, similarity, vector_rank: meaning, recency } = explanation;
  const best = Math.max(...terms.map((term) => term.score), 0.001);
  return (
    <div className="grid gap-x-8 gap-y-4 rounded-lg bg-sunken p-4 desk:grid-cols-2">
      <section className="flex flex-col gap-2">
        <Heading name={s.byWords} rank={words} figure={bm25.toFixed(2)} />
        {terms.length === 0 && <p className="text-xs text-soft">{s.noTerms}</p>}
        <ul className="flex flex-col gap-1.5">
          {[...terms]
            .sort((a, b) => b.score - a.score)
            .map(({ term, score }) => (
              <li key={term} className="grid grid-cols-[6rem_minmax(0,1fr)_2.5rem] items-center gap-2 text-xs">
                <span className="truncate font-mono">{term}</span>
                <Bar value={score / best} label={`${term} ${score.toFixed(2)}`} />
                <span className="text-right text-soft tabular-nums">{score.toFixed(2)}</span>
              </li>
            ))}
        </ul>
      </section>
      <section className="flex flex-col gap-2">
        <Heading name={s.byMeaning} rank={meaning} figure={similarity?.toFixed(2)} />
        {similarity == null ? (
          <p className="text-xs text-soft">{s.noVector}</p>
        ) : (
          <Bar value={similarity} label={`${s.byMeaning} ${similarity.toFixed(2)}`} />
        )}
        {recency && (
          <p className="text-xs text-soft">
            {s.recency}: {recency}
          </p>
        )}
      </section>
    </div>
  );
}

/** Bars on the sunken ground need a lighter track than elsewhere. */
function Bar({ value, label }: { value: number; label: string }) {
  return (
    <span className="block overflow-hidden rounded-full bg-surface">
      <Meter value={value} label={label} />
    </span>
  );
}

function Heading({ name, rank, figure }: { name: string; rank: number | null | undefined; figure: string | undefined }) {
  return (
    <div className="flex items-baseline justify-between gap-2">
      <Label>{name}</Label>
      <span className="text-xs text-soft">
        {rank == null ? s.notInList : s.rankOf(rank)}
        {figure && ` · ${figure}`}
      </span>
    </div>
  );
}
