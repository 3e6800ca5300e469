import { expect, test } from 'vitest';
import { indexesOfBytes, rangeOfBytes } from './bytes';

test('offsets in bytes find their characters, whatever these weigh', () => {
  const text = 'aé€😀z';
  const encoder = new TextEncoder();
  for (let index = 0; index <= text.length; index += 1) {
    // The middle of a surrogate pair is no place between characters.
    if (index === 4) continue;
    expect(indexesOfBytes(text, [encoder.encode(text.slice(0, index)).length])).toEqual([index]);
  }
});

test('an offset inside a character moves back to its beginning, and one beyond the end to the end', () => {
  expect(indexesOfBytes('a€b', [2, 3, 4, 99])).toEqual([1, 1, 2, 3]);
});

test('a range keeps its order even when it is given the wrong way round', () => {
  expect(rangeOfBytes('abcdef', 4, 2)).toEqual({ start: 4, end: 4 });
});
