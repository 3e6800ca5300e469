import { useSearchParams } from 'react-router';
import type { Evidence } from '../../api/types';
import { strings } from '../../strings';
import { nameOf } from './origin';

export const CITE = 'cite';

/** Which citation is open, and how to open another; kept in the address, so that back closes it. */
export function useOpenCitation(): { open: number | undefined; show: (number: number | undefined) => void } {
  const [search, setSearch] = useSearchParams();
  const value = Number(search.get(CITE) ?? Number.NaN);
  const open = Number.isInteger(value) && value > 0 ? value : undefined;
  return {
    open,
    show: (number) =>
      setSearch(
        (before) => {
          if (number === undefined) before.delete(CITE);
          else before.set(CITE, String(number));
          return before;
        },
        { replace: open !== undefined },
      ),
  };
}

export function CitationLink({ number, evidence }: { number: number; evidence: Evidence | undefined }) {
  const { open, show } = useOpenCitation();
  const label = evidence ? strings.investigation.openCitation(number, nameOf(evidence.origin)) : strings.investigation.citation(number);
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      aria-expanded={open === number}
      onClick={() => show(number)}
      className={`ml-0.5 inline-grid h-4.5 min-w-4.5 place-items-center rounded-md px-1 align-[0.1em] text-xs leading-none font-semibold transition-colors ${
        open === number ? 'bg-accent text-on-accent' : 'bg-accent/15 text-accent-strong hover:bg-accent hover:text-on-accent'
      }`}
    >
      {number}
    </button>
  );
}
