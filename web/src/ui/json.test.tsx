import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { Data } from './json';

const shown = (value: unknown) => {
  const { container, unmount } = render(<Data value={value} label="Data" />);
  const text = [...container.querySelectorAll('dt, dd, li, p, pre')].map((part) => part.textContent);
  unmount();
  return text;
};

test('names and values stand beside each other, and a list line by line', () => {
  expect(shown({ id: 541, admins: ['a, b', 'c'], rows: [] })).toEqual(['id', '541', 'admins', 'a, bc', 'a, b', 'c', 'rows', 'none']);
  expect(shown([{ id: 1 }])).toEqual(['id', '1']);
  expect(shown({ name: '' })).toEqual(['name', 'empty']);
});

test('a text that looks like a number is told apart from one', () => {
  render(<Data value={{ text: '541', number: 541 }} label="Data" />);
  const [text, number] = screen.getAllByText('541');
  expect(text?.className).not.toBe(number?.className);
});

test('what has a deeper shape is shown as it is', () => {
  expect(shown({ a: { b: 1 } })).toEqual([JSON.stringify({ a: { b: 1 } }, null, 2)]);
  expect(shown([1, 2])).toEqual([JSON.stringify([1, 2], null, 2)]);
});
