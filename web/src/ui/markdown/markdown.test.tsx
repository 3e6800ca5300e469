import { render } from '@testing-library/react';
import { describe, expect, test } from 'vitest';
import { parseMarkdown } from './block';
import { plainText } from './plain';
import { Markdown } from './markdown';

const show = (source: string) => render(<Markdown source={source} />).container;

describe('what people write in help desks', () => {
  test('lists, headings, emphasis, code and tables become their elements', () => {
    const page = show('# Title\n\nSome **bold** and _soft_ `code`.\n\n1. one\n2. two\n   - inner\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n> said\n\n```\nx < y\n```\n');
    expect(page.querySelector('h3')?.textContent).toBe('Title');
    expect(page.querySelector('strong')?.textContent).toBe('bold');
    expect(page.querySelector('em')?.textContent).toBe('soft');
    expect(page.querySelectorAll('ol > li')).toHaveLength(2);
    expect(page.querySelector('ol ul li')?.textContent).toBe('inner');
    expect([...page.querySelectorAll('td')].map((cell) => cell.textContent)).toEqual(['1', '2']);
    expect(page.querySelector('blockquote')?.textContent).toBe('said');
    expect(page.querySelector('pre')?.textContent).toBe('x < y');
  });

  test('names with underscores and stars of arithmetic stay as they are', () => {
    expect(show('set max_retry_count to 2 * 3 * 4').textContent).toBe('set max_retry_count to 2 * 3 * 4');
  });

  test('front matter is not part of the text', () => {
    expect(show('---\ntitle: x\n---\nBody').textContent).toBe('Body');
  });

  test('a link shows where it leads, because its text may claim anything', () => {
    const link = show('[your bank](https://evil.example/login)').querySelector('a');
    expect(link?.textContent).toBe('your bank (evil.example)');
    expect(link?.getAttribute('rel')).toContain('noreferrer');
  });
});

describe('hostile text', () => {
  const payloads = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg/onload=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](java\tscript:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '[x](vbscript:msgbox(1))',
    '[x](&#106;avascript:alert(1))',
    '[x](file:///etc/passwd)',
    '<javascript:alert(1)>',
    '![x](https://tracker.example/pixel.png)',
    '![x](javascript:alert(1))',
    '[x](https://ok.example "onmouseover=alert(1)")',
    '<a href="javascript:alert(1)">x</a>',
    '<iframe src="https://evil.example"></iframe>',
    '```\n</code></pre><script>alert(1)</script>\n```',
    '| <script>alert(1)</script> | b |\n| - | - |\n| <img onerror=x> | 2 |',
    '# <style>*{display:none}</style>',
    '[a](https://a.example"onclick="alert(1))',
  ];
  test.each(payloads)('%j makes no element that does anything', (payload) => {
    const page = show(payload);
    expect(page.querySelector('script, img, svg, iframe, style, object, embed, form, input')).toBeNull();
    for (const element of page.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        expect(name.startsWith('on')).toBe(false);
        if (name === 'href') expect(value).toMatch(/^(https?:\/\/|mailto:)/);
      }
    }
  });

  test('deep, long and unbalanced text is shown without delay', () => {
    const begin = performance.now();
    for (const part of ['[', '*a', '**a *', '`', '> ', '- ', '_a_', '|a', '# ', '![', '<https://', '1. ', '\\', '[a](', '😀']) parseMarkdown(part.repeat(20_000));
    parseMarkdown(Array.from({ length: 500 }, (_, i) => `${' '.repeat(i)}- x`).join('\n'));
    expect(performance.now() - begin).toBeLessThan(15_000);
  });
});

describe('a marked passage', () => {
  const marked = (source: string, passage: string) => {
    const start = source.indexOf(passage);
    const { container } = render(<Markdown source={source} passage={{ start, end: start + passage.length }} />);
    return [...container.querySelectorAll('mark')].map((mark) => mark.textContent).join('|');
  };

  test('is exactly the passage, also across emphasis and in lists and quotes', () => {
    expect(marked('One. Two is *here*. Three.', 'Two is *here*.')).toBe('Two is |here|.');
    expect(marked('- first\n- second one\n- third', 'second one')).toBe('second one');
    expect(marked('> a quote\n> of two lines', 'of two')).toBe('of two');
    expect(marked('1. a\n\n   inner paragraph\n', 'inner')).toBe('inner');
    expect(marked('| a | b |\n|---|---|\n| left | right |', 'right')).toBe('right');
    expect(marked('text\n\n## A *big* heading\n', 'big')).toBe('big');
    expect(marked('```\ncode here\n```', 'here')).toBe('here');
    expect(marked('line one\r\nline two\r\n', 'two')).toBe('two');
  });

  test('goes over several blocks', () => {
    expect(marked('# H\n\nfirst\n\nsecond', 'first\n\nsecond')).toBe('first|second');
  });
});

test('a line of a text shows what it says, without the marks of Markdown', () => {
  expect(plainText('# Refunds\n\nWithin **10 days**, see `id` and [the page](https://example.com).\n\n- one\n- two\n\n| a | b |\n|---|---|\n| c | d |')).toBe(
    'Refunds Within 10 days, see id and the page. one · two a b · c d',
  );
  expect(plainText('2 * 3 < snake_case_name <b>')).toBe('2 * 3 < snake_case_name <b>');
});
