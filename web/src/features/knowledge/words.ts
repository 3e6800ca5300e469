/** Which words of a passage the search found it by. */

const escaped = (term: string) => term.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

export type Piece = { text: string; found: boolean };

/** The text in pieces; `found` are the words that begin with one of the search's word stems. */
export function piecesOf(text: string, stems: string[]): Piece[] {
  const known = stems.filter((stem) => stem.length > 0).map(escaped);
  if (known.length === 0) return [{ text, found: false }];
  const words = new RegExp(`(?<![\\p{L}\\p{N}])(?:${known.join('|')})[\\p{L}\\p{N}]*`, 'giu');
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(words)) {
    if (match.index > from) pieces.push({ text: text.slice(from, match.index), found: false });
    pieces.push({ text: match[0], found: true });
    from = match.index + match[0].length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), found: false });
  return pieces;
}
