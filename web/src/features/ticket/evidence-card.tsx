import type { Evidence } from '../../api/types';
import { strings } from '../../strings';
import { plainText } from '../../ui/markdown/plain';
import { useOpenCitation } from './citation-link';
import { nameOf, OriginIcon, placeOf, Trust } from './origin';

export function EvidenceCard({ evidence }: { evidence: Evidence }) {
  const { open, show } = useOpenCitation();
  const place = placeOf(evidence.origin);
  return (
    <button
      type="button"
      onClick={() => show(evidence.number)}
      className={`flex w-full flex-col gap-1.5 rounded-xl border bg-surface px-3.5 py-3 text-left transition-colors hover:bg-hover ${open === evidence.number ? 'border-accent' : 'border-line'}`}
    >
      <span className="flex w-full items-center gap-2 text-sm">
        <span className="grid h-4.5 min-w-4.5 place-items-center rounded-md bg-accent-soft px-1 text-xs leading-none font-semibold text-accent-strong">
          <span className="sr-only">{strings.investigation.open} </span>
          {evidence.number}
        </span>
        <OriginIcon origin={evidence.origin} />
        <span className="min-w-0 flex-1 truncate font-medium">{nameOf(evidence.origin)}</span>
      </span>
      {place && <span className="w-full truncate text-xs text-faint">{place}</span>}
      <span className="line-clamp-3 text-sm [overflow-wrap:anywhere] text-soft">{evidence.origin.kind === 'passage' ? plainText(evidence.text) : evidence.text}</span>
      <Trust integrity={evidence.label.integrity} />
    </button>
  );
}
