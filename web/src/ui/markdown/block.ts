/** Markdown blocks with their place in the source. Understands what help-desk replies and articles use. */
import { parseInline, type Inline } from './inline';

export type Block = { start: number; end: number } & (
  | { kind: 'heading'; level: number; children: Inline[] }
  | { kind: 'paragraph'; children: Inline[] }
  | { kind: 'code'; text: string; at: number }
  | { kind: 'quote'; blocks: Block[] }
  | { kind: 'list'; ordered: boolean; first: number; items: Block[][] }
  | { kind: 'table'; head: Inline[][]; rows: Inline[][][] }
  | { kind: 'rule' }
);

/** A line of the source, and where its text begins there. */
type Line = { text: string; at: number };

const MAX_DEPTH = 12;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const RULE = /^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])([ \t]+|$)/;
const QUOTE = /^ {0,3}>[ \t]?/;
const TABLE_RULE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

export function parseMarkdown(source: string): Block[] {
  const lines: Line[] = [];
  let at = 0;
  for (const text of source.split('\n')) {
    lines.push({ text: text.endsWith('\r') ? text.slice(0, -1) : text, at });
    at += text.length + 1;
  }
  return parseBlocks(skipFrontMatter(lines), 0);
}

function skipFrontMatter(lines: Line[]): Line[] {
  if (lines[0]?.text.trim() !== '---') return lines;
  const close = lines.findIndex((line, index) => index > 0 && line.text.trim() === '---');
  return close > 0 ? lines.slice(close + 1) : lines;
}

function endOf(line: Line | undefined): number {
  return line ? line.at + line.text.length : 0;
}

function cut(line: Line, columns: number): Line {
  return { text: line.text.slice(columns), at: line.at + columns };
}

function inlineOf(lines: Line[]): Inline[] {
  const trimmed = lines.map((line, index) => {
    const lead = /^[ \t]*/.exec(line.text)?.[0].length ?? 0;
    const rest = cut(line, lead);
    return index === lines.length - 1 ? { ...rest, text: rest.text.trimEnd() } : rest;
  });
  const text = trimmed.map((line) => line.text).join('\n');
  return parseInline(text, (index) => {
    let left = index;
    for (const line of trimmed) {
      if (left <= line.text.length) return line.at + left;
      left -= line.text.length + 1;
    }
    return endOf(trimmed.at(-1));
  });
}

function parseBlocks(lines: Line[], depth: number): Block[] {
  const blocks: Block[] = [];
  let i = 0;
  while (i < lines.length) {
    const line = lines[i];
    if (!line || line.text.trim() === '') {
      i += 1;
      continue;
    }
    const taken = takeBlock(lines, i, depth);
    blocks.push(taken.block);
    i = taken.next;
  }
  return blocks;
}

function takeBlock(lines: Line[], i: number, depth: number): { block: Block; next: number } {
  const line = lines[i] ?? { text: '', at: 0 };
  const start = line.at;
  const done = (block: DistributiveOmit<Block, 'start' | 'end'>, next: number) => ({
    block: { ...block, start, end: endOf(lines[next - 1]) },
    next,
  });

  const heading = HEADING.exec(line.text);
  if (heading) {
    const from = line.text.indexOf(heading[2] ?? '', heading[1]?.length ?? 1);
    const content = { text: heading[2] ?? '', at: line.at + Math.max(0, from) };
    return done({ kind: 'heading', level: heading[1]?.length ?? 1, children: inlineOf([content]) }, i + 1);
  }
  const fence = FENCE.exec(line.text)?.[1];
  if (fence) {
    let next = i + 1;
    while (next < lines.length && !isClosing(lines[next], fence)) next += 1;
    const body = lines.slice(i + 1, next);
    const at = body[0]?.at ?? endOf(line);
    return done({ kind: 'code', text: body.map((l) => l.text).join('\n'), at }, Math.min(lines.length, next + 1));
  }
  if (RULE.test(line.text)) return done({ kind: 'rule' }, i + 1);
  if (QUOTE.test(line.text) && depth < MAX_DEPTH) {
    let next = i;
    const inside: Line[] = [];
    for (let l = lines[next]; l && QUOTE.test(l.text); l = lines[++next]) inside.push(cut(l, QUOTE.exec(l.text)?.[0].length ?? 0));
    return done({ kind: 'quote', blocks: parseBlocks(inside, depth + 1) }, next);
  }
  if (ITEM.test(line.text) && depth < MAX_DEPTH) {
    const list = takeList(lines, i, depth);
    return done(list.block, list.next);
  }
  if (line.text.includes('|') && TABLE_RULE.test(lines[i + 1]?.text ?? '') && (lines[i + 1]?.text ?? '').includes('-')) {
    let next = i + 2;
    while (next < lines.length && (lines[next]?.text ?? '').includes('|')) next += 1;
    const rows = lines.slice(i + 2, next).map(cellsOf);
    return done({ kind: 'table', head: cellsOf(line), rows }, next);
  }
  let next = i + 1;
  while (next < lines.length && !interrupts(lines[next], depth)) next += 1;
  return done({ kind: 'paragraph', children: inlineOf(lines.slice(i, next)) }, next);
}

function isClosing(line: Line | undefined, fence: string): boolean {
  const text = line?.text.trim() ?? '';
  return text.length >= fence.length && text === (fence[0] ?? '`').repeat(text.length);
}

function interrupts(line: Line | undefined, depth: number): boolean {
  const text = line?.text ?? '';
  if (text.trim() === '' || HEADING.test(text) || FENCE.test(text) || RULE.test(text)) return true;
  return depth < MAX_DEPTH && (QUOTE.test(text) || ITEM.test(text));
}

function takeList(lines: Line[], from: number, depth: number): { block: DistributiveOmit<Block, 'start' | 'end'>; next: number } {
  const bullet = ITEM.exec(lines[from]?.text ?? '')?.[2] ?? '-';
  const ordered = /^\d/.test(bullet);
  const items: Block[][] = [];
  let i = from;
  while (i < lines.length) {
    const line = lines[i];
    const mark = line && ITEM.exec(line.text);
    if (!mark || /^\d/.test(mark[2] ?? '') !== ordered || RULE.test(line.text)) break;
    const indent = mark[0].length;
    const inside = [cut(line, indent)];
    i += 1;
    for (; i < lines.length; i += 1) {
      const next = lines[i];
      if (!next) break;
      const blank = next.text.trim() === '';
      const deeper = /^[ \t]*/.exec(next.text)?.[0].length ?? 0;
      if (blank) {
        const after = lines[i + 1];
        const goesOn = after && after.text.trim() !== '' && (/^[ \t]*/.exec(after.text)?.[0].length ?? 0) >= Math.min(indent, 2);
        if (!goesOn) break;
        inside.push(cut(next, 0));
      } else if (deeper >= Math.min(indent, 2)) inside.push(cut(next, Math.min(deeper, indent)));
      else if (interrupts(next, depth) || inside.at(-1)?.text.trim() === '') break;
      else inside.push(next);
    }
    items.push(parseBlocks(inside, depth + 1));
    while (i < lines.length && lines[i]?.text.trim() === '' && ITEM.test(lines[i + 1]?.text ?? '')) i += 1;
  }
  return { block: { kind: 'list', ordered, first: ordered ? Number.parseInt(bullet, 10) : 1, items }, next: i };
}

function cellsOf(line: Line): Inline[][] {
  const cells: Inline[][] = [];
  const text = line.text;
  let from = text.trimStart().startsWith('|') ? text.indexOf('|') + 1 : 0;
  const stop = text.trimEnd().endsWith('|') ? text.trimEnd().length - 1 : text.length;
  for (let at = from; at <= stop; at += 1) {
    if (at < stop && (text[at] !== '|' || text[at - 1] === '\\')) continue;
    cells.push(inlineOf([{ text: text.slice(from, at), at: line.at + from }]));
    from = at + 1;
  }
  return cells;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
