/** Markdown as React nodes: no markup is ever built from text, no picture is fetched. */
import { useMemo, type ReactNode } from 'react';
import { parseMarkdown, type Block } from './block';
import type { Inline } from './inline';

export type Range = { start: number; end: number };

type Look = {
  /** What is marked, in indexes of the source. */
  passage?: Range | undefined;
  /** What is marked more strongly within it. */
  quotes?: Range[] | undefined;
  /** How a citation is shown; without it, as plain text. */
  citation?: ((number: number, key: number) => ReactNode) | undefined;
};

export function Markdown({ source, passage, quotes, citation }: { source: string } & Look) {
  const blocks = useMemo(() => parseMarkdown(source), [source]);
  return <div className="flex flex-col gap-3 [overflow-wrap:anywhere]">{blocks.map((block, i) => renderBlock(block, { passage, quotes, citation }, i))}</div>;
}

const HEADINGS = ['text-xl font-semibold', 'text-lg font-semibold', 'font-semibold', 'font-semibold', 'font-semibold', 'font-semibold'];

function renderBlock(block: Block, look: Look, key: number): ReactNode {
  switch (block.kind) {
    case 'heading':
      // Levels are shifted by two: the screen and the panel have theirs already.
      return renderHeading(Math.min(6, block.level + 2), HEADINGS[block.level - 1] ?? '', renderInlines(block.children, look), key);
    case 'paragraph':
      return <p key={key}>{renderInlines(block.children, look)}</p>;
    case 'code':
      return (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <pre key={key} tabIndex={0} className="overflow-x-auto rounded-lg bg-sunken p-3 font-mono text-xs">
          <code>{renderText(block.text, block.at, look)}</code>
        </pre>
      );
    case 'quote':
      return (
        <blockquote key={key} className="flex flex-col gap-2 border-l-2 border-line-strong pl-3 text-soft">
          {block.blocks.map((inner, i) => renderBlock(inner, look, i))}
        </blockquote>
      );
    case 'list': {
      const items = block.items.map((item, i) => (
        <li key={i} className="pl-1">
          {item.map((inner, j) =>
            inner.kind === 'paragraph' ? <span key={j}>{renderInlines(inner.children, look)}</span> : <div key={j} className="mt-1">{renderBlock(inner, look, j)}</div>,
          )}
        </li>
      ));
      return block.ordered ? (
        <ol key={key} start={block.first} className="flex list-decimal flex-col gap-1 pl-6 marker:text-faint">
          {items}
        </ol>
      ) : (
        <ul key={key} className="flex list-disc flex-col gap-1 pl-5 marker:text-faint">
          {items}
        </ul>
      );
    }
    case 'table':
      return (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div key={key} tabIndex={0} className="overflow-x-auto">
          <table className="w-full border-collapse text-sm">
            <thead>
              <tr>
                {block.head.map((cell, i) => (
                  <th key={i} scope="col" className="border-b border-line-strong py-1 pr-4 text-left font-semibold">
                    {renderInlines(cell, look)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {block.rows.map((row, i) => (
                <tr key={i}>
                  {row.map((cell, j) => (
                    <td key={j} className="border-b border-line py-1 pr-4 align-top">
                      {renderInlines(cell, look)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
    case 'rule':
      return <hr key={key} className="border-line" />;
  }
}

function renderHeading(level: number, look: string, children: ReactNode, key: number): ReactNode {
  const Tag = `h${level}` as 'h3';
  return (
    <Tag key={key} className={`mt-1 ${look}`}>
      {children}
    </Tag>
  );
}

function renderInlines(nodes: Inline[], look: Look): ReactNode[] {
  return nodes.map((node, key) => {
    switch (node.kind) {
      case 'text':
        return <span key={key}>{renderText(node.text, node.at, look)}</span>;
      case 'code':
        return (
          <code key={key} className="rounded bg-sunken px-1 py-0.5 font-mono text-[0.9em]">
            {renderText(node.text, node.at, look)}
          </code>
        );
      case 'strong':
        return <strong key={key}>{renderInlines(node.children, look)}</strong>;
      case 'emphasis':
        return <em key={key}>{renderInlines(node.children, look)}</em>;
      case 'break':
        return <br key={key} />;
      case 'citation':
        return look.citation ? look.citation(node.number, key) : <span key={key}>[{node.number}]</span>;
      case 'link':
        return (
          <a
            key={key}
            href={node.href}
            target="_blank"
            rel="noreferrer noopener nofollow"
            className="text-accent-strong underline decoration-1 underline-offset-2"
          >
            {renderInlines(node.children, look)}
            <Host href={node.href} shown={textOf(node.children)} />
          </a>
        );
    }
  });
}

/** Where a link leads, said beside it: the text of a link may claim anything. */
function Host({ href, shown }: { href: string; shown: string }) {
  const url = URL.parse(href);
  const host = url?.protocol === 'mailto:' ? url.pathname : (url?.host ?? '');
  if (!host || shown === href) return null;
  return <span className="text-soft"> ({host})</span>;
}

function textOf(nodes: Inline[]): string {
  return nodes.map((node) => ('text' in node ? node.text : 'children' in node ? textOf(node.children) : '')).join('');
}

/** Text of which the part inside the passage is marked, and what is quoted from it more so. */
export function renderText(text: string, at: number, { passage, quotes = [] }: Look): ReactNode {
  const end = at + text.length;
  if (!passage || passage.start >= end || passage.end <= at) return text;
  const inside = (range: Range, place: number) => range.start <= place && place < range.end;
  const edges = [passage, ...quotes].flatMap((range) => [range.start, range.end]).filter((edge) => edge > at && edge < end);
  const cuts = [...new Set([at, ...edges, end])].sort((a, b) => a - b);
  return cuts.slice(0, -1).map((from, i) => {
    const part = text.slice(from - at, (cuts[i + 1] ?? end) - at);
    if (!inside(passage, from)) return part;
    const quoted = quotes.length === 0 || quotes.some((quote) => inside(quote, from));
    return (
      <mark
        key={from}
        data-passage={quoted ? 'quoted' : 'around'}
        className={`rounded-xs box-decoration-clone ${quoted ? 'bg-mark text-mark-ink' : 'bg-mark/40 text-ink'}`}
      >
        {part}
      </mark>
    );
  });
}
