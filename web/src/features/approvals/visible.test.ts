import { expect, test } from 'vitest';
import { visible, visibleData } from './visible';

test('characters that cannot be seen are written out', () => {
  expect(visible('pay\u202eeno')).toBe('pay\\u{202e}eno');
  expect(visible('a\u200bb\u{e0041}\u00a0c\u0000')).toBe('a\\u{200b}b\\u{e0041}\\u{a0}c\\u{0}');
  expect(visible('Zoë 東京 😀\nnext')).toBe('Zoë 東京 😀\nnext');
});

test('names of arguments are made visible like their values, at any depth', () => {
  expect(visibleData({ 'a\u200b': [{ b: 'x\ufeff' }, 1, null] })).toEqual({ 'a\\u{200b}': [{ b: 'x\\u{feff}' }, 1, null] });
});
