import { expect, test } from 'vitest';
import type { Citation } from '../../api/types';
import { withMarkers } from './citations';

const cite = (reply: string, sentence: string, number: number): Citation => {
  const encoder = new TextEncoder();
  const start = encoder.encode(reply.slice(0, reply.indexOf(sentence))).length;
  return { sentence, start, end: start + encoder.encode(sentence).length, evidence: 'evd_1', number };
};

test('a reply that shows its numbers stays as it is', () => {
  const reply = 'Refunds take 5 days [1].';
  expect(withMarkers(reply, [cite(reply, 'Refunds take 5 days', 1)])).toBe(reply);
});

test('numbers are put behind their sentences, also after characters of several bytes', () => {
  const reply = 'Größe – 5 €. Danach Ruhe.';
  const citations = [cite(reply, 'Größe – 5 €.', 1), cite(reply, 'Danach Ruhe.', 2), cite(reply, 'Danach Ruhe.', 3)];
  expect(withMarkers(reply, citations)).toBe('Größe – 5 €. [1] Danach Ruhe. [2][3]');
});
