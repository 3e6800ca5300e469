/** Citations in a text: every cited sentence ends in its number, whether the text says so or not. */
import type { Citation } from '../../api/types';
import { indexesOfBytes } from '../../ui/bytes';

const MARKER = /\[(\d{1,3})\]/g;

/** The reply with `[n]` behind every cited sentence that does not show its number yet. */
export function withMarkers(reply: string, citations: Citation[]): string {
  const shown = new Set([...reply.matchAll(MARKER)].map((match) => Number(match[1])));
  const missing = citations.filter((citation) => !shown.has(citation.number));
  if (missing.length === 0) return reply;
  const ends = indexesOfBytes(reply, missing.map((citation) => citation.end));
  const inserts = new Map<number, Set<number>>();
  missing.forEach((citation, i) => {
    const end = ends[i] ?? reply.length;
    inserts.set(end, (inserts.get(end) ?? new Set()).add(citation.number));
  });
  let marked = reply;
  for (const [end, numbers] of [...inserts].sort(([a], [b]) => b - a)) {
    const marks = [...numbers].sort((a, b) => a - b).map((n) => `[${n}]`);
    marked = `${marked.slice(0, end)} ${marks.join('')}${marked.slice(end)}`;
  }
  return marked;
}
