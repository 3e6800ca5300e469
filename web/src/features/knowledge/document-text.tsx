/** A document's text with one passage marked and brought into view. */
import { useEffect, useRef } from 'react';
import type { DocumentView } from '../../api/types';
import { strings } from '../../strings';
import { rangeOfBytes } from '../../ui/bytes';
import { Markdown, renderText, type Range } from '../../ui/markdown/markdown';

type Bytes = { start: number; end: number };
const PLAIN = /\.(txt|log|csv|text)$/i;
const ENOUGH_TO_COMPARE = 60;
/** Longer documents are shown as plain text around the passage: a browser draws no 20 MB of paragraphs. */
const LONGEST_DRAWN = 300_000;
const AROUND = 20_000;

const squeeze = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

/** Whether the document still says at these bytes what was read there. */
export function readsAs(text: string, start: number, end: number, read: string): boolean {
  const range = rangeOfBytes(text, start, end);
  const now = squeeze(text.slice(range.start, range.end));
  const then = squeeze(read);
  if (!now || !then) return false;
  return now.includes(then.slice(0, ENOUGH_TO_COMPARE)) || then.includes(now.slice(0, ENOUGH_TO_COMPARE));
}

const LONGEST_QUOTE = 60;

/** Where these sentences stand within the range, whatever marks of Markdown are between their words. */
export function quotesIn(text: string, range: Range, sentences: string[]): Range[] {
  const passage = text.slice(range.start, range.end);
  return sentences.flatMap((sentence) => {
    const words = sentence.match(/[\p{L}\p{N}]+/gu)?.slice(0, LONGEST_QUOTE) ?? [];
    if (words.length < 2) return [];
    const found = new RegExp(`${words.join('[^\\p{L}\\p{N}]+')}[*_)]{0,3}[.!?]?`, 'iu').exec(passage);
    return found ? [{ start: range.start + found.index, end: range.start + found.index + found[0].length }] : [];
  });
}

type Props = {
  document: DocumentView;
  passage?: Bytes | undefined;
  /** Sentences that were quoted from the passage. */
  sentences?: string[];
};

export function DocumentText({ document, passage, sentences = [] }: Props) {
  const root = useRef<HTMLDivElement>(null);
  const range = passage && rangeOfBytes(document.text, passage.start, passage.end);
  const quotes = range && quotesIn(document.text, range, sentences);
  const { start, end } = range ?? { start: 0, end: 0 };
  useEffect(() => {
    root.current?.querySelector('mark[data-passage=quoted]')?.scrollIntoView({ block: 'center' });
  }, [document.id, start, end]);
  if (document.text.length > LONGEST_DRAWN) {
    const from = Math.max(0, start - AROUND);
    return (
      <div ref={root}>
        <p className="mb-3 text-sm text-faint">{strings.knowledge.longDocument}</p>
        <p className="[overflow-wrap:anywhere] whitespace-pre-wrap">
          {renderText(document.text.slice(from, Math.max(end, start) + AROUND), from, { passage: range, quotes })}
        </p>
      </div>
    );
  }
  return (
    <div ref={root}>
      {PLAIN.test(document.path) ? (
        <p className="[overflow-wrap:anywhere] whitespace-pre-wrap">{renderText(document.text, 0, { passage: range, quotes })}</p>
      ) : (
        <Markdown source={document.text} passage={range} quotes={quotes} />
      )}
    </div>
  );
}
