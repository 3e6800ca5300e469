/** Inline Markdown as a tree. Every text keeps its place in the source, so that passages can be marked. */

export type Inline =
  | { kind: 'text'; text: string; at: number }
  | { kind: 'code'; text: string; at: number }
  | { kind: 'strong' | 'emphasis'; children: Inline[] }
  | { kind: 'link'; href: string; children: Inline[] }
  | { kind: 'citation'; number: number }
  | { kind: 'break' };

const MAX_DEPTH = 8;
const CITATION = /^\[(\d{1,3})\](?!\()/;
const LINK = /^\[([^\]\n]{1,500})\]\(\s*<?([^\s)>]{1,2000})>?(?:\s+"[^"]*")?\s*\)/;
const IMAGE = /^!\[([^\]\n]{0,500})\]\([^)\n]{0,2000}\)/;
const AUTOLINK = /^<((?:https?:\/\/|mailto:)[^\s<>]{1,2000})>/;
const BARE = /^https?:\/\/[^\s<>"'`\]]{1,2000}[^\s<>"'`\].,;:!?)]/;
const ESCAPED = /^\\([!-/:-@[-`{-~])/;

/** The address, if it is one that a reader may be sent to; otherwise nothing. */
export function safeAddress(address: string): string | undefined {
  const url = URL.parse(address);
  if (!url) return undefined;
  return url.protocol === 'https:' || url.protocol === 'http:' || url.protocol === 'mailto:' ? address : undefined;
}

/** Parses `source`; `place` gives the place in the document of an index of `source`. */
export function parseInline(source: string, place: (index: number) => number, depth = 0): Inline[] {
  const nodes: Inline[] = [];
  let text = '';
  let textAt = 0;
  let at = 0;
  const flush = () => {
    if (text) nodes.push({ kind: 'text', text, at: place(textAt) });
    text = '';
  };
  const push = (node: Inline, length: number) => {
    flush();
    nodes.push(node);
    at += length;
  };
  const inner = (from: number, to: number) =>
    parseInline(source.slice(from, to), (index) => place(from + index), depth + 1);

  while (at < source.length) {
    const rest = source.slice(at, at + 4096);
    const char = source[at] ?? '';
    let match: RegExpExecArray | null;
    if (char === '\\' && (match = ESCAPED.exec(rest))) {
      flush();
      nodes.push({ kind: 'text', text: match[1] ?? '', at: place(at + 1) });
      at += 2;
    } else if (char === '`' && (match = /^(`+)([^`](?:[\s\S]*?[^`])?)\1(?!`)/.exec(rest))) {
      const ticks = match[1]?.length ?? 1;
      push({ kind: 'code', text: match[2] ?? '', at: place(at + ticks) }, match[0].length);
    } else if (char === '!' && (match = IMAGE.exec(rest))) {
      // Pictures are not fetched; what they show is said.
      push({ kind: 'text', text: match[1] ?? '', at: place(at + 2) }, match[0].length);
    } else if (char === '[' && (match = CITATION.exec(rest))) {
      push({ kind: 'citation', number: Number(match[1]) }, match[0].length);
    } else if (char === '[' && depth < MAX_DEPTH && (match = LINK.exec(rest))) {
      const children = inner(at + 1, at + 1 + (match[1]?.length ?? 0));
      const href = safeAddress(match[2] ?? '');
      if (href) push({ kind: 'link', href, children }, match[0].length);
      else {
        flush();
        nodes.push(...children);
        at += match[0].length;
      }
    } else if (char === '<' && (match = AUTOLINK.exec(rest))) {
      const href = match[1] ?? '';
      push({ kind: 'link', href, children: [{ kind: 'text', text: href, at: place(at + 1) }] }, match[0].length);
    } else if (char === 'h' && !/\w$/.test(text) && (match = BARE.exec(rest))) {
      push({ kind: 'link', href: match[0], children: [{ kind: 'text', text: match[0], at: place(at) }] }, match[0].length);
    } else if ((char === '*' || char === '_') && depth < MAX_DEPTH && (match = emphasis(source, at, rest))) {
      const marks = match[1]?.length ?? 1;
      const kind = marks === 2 ? 'strong' : 'emphasis';
      push({ kind, children: inner(at + marks, at + match[0].length - marks) }, match[0].length);
    } else if (char === '\n') {
      const hard = / {2,}$/.test(text) || text.endsWith('\\');
      if (hard) {
        text = text.replace(/( {2,}|\\)$/, '');
        push({ kind: 'break' }, 1);
      } else {
        // Each line is a text of its own: between two lines the source may have marks of a list or quote.
        push({ kind: 'text', text: ' ', at: place(at) }, 1);
      }
    } else {
      if (!text) textAt = at;
      text += char;
      at += 1;
    }
  }
  flush();
  return nodes;
}

function emphasis(source: string, at: number, rest: string): RegExpExecArray | null {
  const underscore = source[at] === '_';
  // `snake_case` is a name, not emphasis.
  if (underscore && /\w/.test(source[at - 1] ?? ' ')) return null;
  const match = underscore
    ? /^(_{1,2})(?=[^\s_])((?:[^_\\]|\\.)*?[^\s_\\])\1(?!\w)/.exec(rest)
    : (/^(\*\*)(?=[^\s*])((?:[^*\\]|\\.|\*(?!\*))*?[^\s\\])\1/.exec(rest) ?? /^(\*)(?=[^\s*])((?:[^*\\]|\\.)*?[^\s*\\])\1/.exec(rest));
  return match;
}
