/** What a text in Markdown says, without its marks: for places that show a line or two of it. */
import { parseMarkdown, type Block } from './block';
import type { Inline } from './inline';

export function plainText(source: string): string {
  return parseMarkdown(source).map(ofBlock).filter(Boolean).join(' ').replaceAll(/\s+/g, ' ');
}

function ofBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
    case 'paragraph':
      return ofInlines(block.children);
    case 'code':
      return block.text;
    case 'quote':
      return block.blocks.map(ofBlock).join(' ');
    case 'list':
      return block.items.map((item) => item.map(ofBlock).join(' ')).join(' · ');
    case 'table':
      return [block.head, ...block.rows].map((row) => row.map(ofInlines).join(' ')).join(' · ');
    case 'rule':
      return '';
  }
}

function ofInlines(nodes: Inline[]): string {
  return nodes.map(ofInline).join('');
}

function ofInline(node: Inline): string {
  switch (node.kind) {
    case 'text':
    case 'code':
      return node.text;
    case 'strong':
    case 'emphasis':
    case 'link':
      return ofInlines(node.children);
    case 'citation':
      return `[${node.number}]`;
    case 'break':
      return ' ';
  }
}
