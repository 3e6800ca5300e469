/** What Gaby knows, whether it is fresh, and why a search finds what it finds. */
import { Search } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useSearchParams } from 'react-router';
import { strings } from '../../strings';
import { Screen } from '../../ui/screen';
import { DocumentPanel, type OpenDocument } from './document-panel';
import { Documents } from './documents';
import { Hits } from './hits';
import { Sources } from './sources';

const s = strings.knowledge;
const TYPING_MS = 250;

function openFrom(search: URLSearchParams): OpenDocument | undefined {
  const id = search.get('document');
  if (!id) return undefined;
  const offset = (name: string) => {
    const value = Number(search.get(name) ?? Number.NaN);
    return Number.isInteger(value) && value >= 0 ? value : undefined;
  };
  return { id, start: offset('start'), end: offset('end') };
}

export function KnowledgeScreen() {
  const [search, setSearch] = useSearchParams();
  const q = search.get('q') ?? '';
  const open = openFrom(search);
  const show = (document: OpenDocument | undefined) =>
    setSearch((before) => {
      for (const name of ['document', 'start', 'end']) before.delete(name);
      if (document) {
        before.set('document', document.id);
        if (document.start !== undefined) before.set('start', String(document.start));
        if (document.end !== undefined) before.set('end', String(document.end));
      }
      return before;
    });
  return (
    <Screen title={s.title}>
      <SearchField q={q} onSearch={(next) => setSearch(next ? { q: next } : {}, { replace: true })} />
      {q ? (
        <Hits q={q} onOpen={(hit) => show({ id: hit.document, start: hit.start, end: hit.end })} />
      ) : (
        <>
          <Sources />
          <Documents onOpen={(id) => show({ id })} />
        </>
      )}
      {open && <DocumentPanel key={search.toString()} open={open} onClose={() => show(undefined)} />}
    </Screen>
  );
}

function SearchField({ q, onSearch }: { q: string; onSearch: (q: string) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    // The palette and the back button change the search too; who types is not disturbed.
    if (field.current && field.current !== document.activeElement) field.current.value = q;
  }, [q]);
  return (
    <div role="search" className="relative">
      <Search aria-hidden className="absolute top-3.5 left-4 size-4.5 text-faint" />
      <input
        ref={field}
        type="search"
        aria-label={s.search}
        placeholder={s.placeholder}
        defaultValue={q}
        onChange={(event) => {
          const text = event.target.value.trim();
          clearTimeout(timer.current);
          timer.current = setTimeout(() => onSearch(text), TYPING_MS);
        }}
        className="h-11.5 w-full rounded-xl border border-line-strong bg-surface pr-4 pl-11 text-lg placeholder:text-faint"
      />
    </div>
  );
}
