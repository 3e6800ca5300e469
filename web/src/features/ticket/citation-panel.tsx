/** What a citation rests on: the passage in its document, or the fact in a tool's answer. */
import { useQuery } from '@tanstack/react-query';
import type { Citation, Evidence } from '../../api/types';
import { strings } from '../../strings';
import { Drawer } from '../../ui/drawer';
import { Data } from '../../ui/json';
import { Label } from '../../ui/screen';
import { Failure, Skeleton } from '../../ui/states';
import { DocumentText, readsAs } from '../knowledge/document-text';
import { documentQuery } from '../knowledge/queries';
import { nameOf, placeOf, Trust } from './origin';

const s = strings.investigation;

const MARKER = /\s*\[\d{1,3}\]/g;

type Props = { number: number; evidence: Evidence | undefined; citations: Citation[]; onClose: () => void };

export function CitationPanel({ number, evidence, citations, onClose }: Props) {
  if (!evidence) {
    return (
      <Drawer title={s.citation(number)} onClose={onClose}>
        <p className="p-5 text-soft">{s.citationMissing}</p>
      </Drawer>
    );
  }
  const { origin } = evidence;
  const sentences = citations.filter((citation) => citation.number === number).map((citation) => citation.sentence.replaceAll(MARKER, ''));
  return (
    <Drawer
      title={
        <span className="flex items-center gap-2">
          <span className="grid h-5 min-w-5 place-items-center rounded-md bg-accent px-1 text-xs leading-none font-semibold text-on-accent">
            <span className="sr-only">{s.citation(number)} </span>
            <span aria-hidden>{number}</span>
          </span>
          {nameOf(origin)}
        </span>
      }
      subtitle={origin.kind === 'passage' ? [origin.path, origin.heading].filter(Boolean).join(' › ') : placeOf(origin)}
      onClose={onClose}
    >
      <div className="flex flex-col gap-5 p-5">
        {sentences.length > 0 && (
          <section className="flex flex-col gap-1">
            <Label>{s.supports}</Label>
            {sentences.map((sentence) => (
              <blockquote key={sentence} className="border-l-2 border-accent pl-3 text-soft">
                {sentence}
              </blockquote>
            ))}
          </section>
        )}
        {origin.kind === 'passage' && <Passage evidence={evidence} document={origin.document} start={origin.start} end={origin.end} sentences={sentences} />}
        {origin.kind === 'tool_call' && (
          <>
            <Part name={s.arguments} value={origin.arguments} />
            <Part name={s.result} value={evidence.value ?? evidence.text} />
          </>
        )}
        {origin.kind === 'ticket' && (
          <p className="[overflow-wrap:anywhere] whitespace-pre-wrap">
            <mark className="bg-mark text-mark-ink">{evidence.text}</mark>
          </p>
        )}
        <Trust integrity={evidence.label.integrity} />
      </div>
    </Drawer>
  );
}

function Part({ name, value }: { name: string; value: unknown }) {
  return (
    <section className="flex flex-col gap-1">
      <Label>{name}</Label>
      <div className="rounded-lg border border-line bg-canvas p-3">
        <Data value={value} label={name} />
      </div>
    </section>
  );
}

type PassageProps = { evidence: Evidence; document: string; start: number; end: number; sentences: string[] };

function Passage({ evidence, document, start, end, sentences }: PassageProps) {
  const query = useQuery(documentQuery(document));
  if (query.error) {
    return (
      <>
        <AsRead text={evidence.text} />
        <Failure what={s.passageFailed} error={query.error} retry={() => void query.refetch()} />
      </>
    );
  }
  if (!query.data) return <Skeleton lines={4} className="p-0" />;
  const same = readsAs(query.data.text, start, end, evidence.text);
  return (
    <>
      {!same && <AsRead text={evidence.text} note={s.documentChanged} />}
      <DocumentText document={query.data} passage={same ? { start, end } : undefined} sentences={sentences} />
    </>
  );
}

function AsRead({ text, note }: { text: string; note?: string }) {
  return (
    <section className="flex flex-col gap-1">
      <Label>{s.asRead}</Label>
      {note && <p className="text-sm text-warn">{note}</p>}
      <p className="rounded-lg bg-mark p-3 [overflow-wrap:anywhere] whitespace-pre-wrap text-mark-ink">{text}</p>
    </section>
  );
}
