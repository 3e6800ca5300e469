/** Arguments as they really are: characters that cannot be seen, or that turn text around, are written out. */

// Controls, format characters (bidirectional marks, zero widths, tags), private use, unassigned, odd spaces.
// eslint-disable-next-line no-misleading-character-class
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\u00a0\u115f\u1160\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\u3164\ufe00-\ufe0f\uffa0\u{e0100}-\u{e01ef}]/gu;
const PLAIN = new Set(['\n', '\t']);

export function visible(text: string): string {
  return text.replace(UNSEEN, (char) => (PLAIN.has(char) ? char : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`));
}

export function visibleData(value: unknown): unknown {
  if (typeof value === 'string') return visible(value);
  if (Array.isArray(value)) return value.map(visibleData);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [visible(key), visibleData(field)]));
  }
  return value;
}
