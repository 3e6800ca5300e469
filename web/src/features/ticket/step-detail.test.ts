import { expect, test } from 'vitest';
import { readDetail } from './step-detail';

test('a call shows its tool, the arguments as they were sent, the gate’s decision and the answer', () => {
  const want = { want: 'call', key: 'customer', tool: { connector: 'shop', tool: 'find' }, arguments: { id: '$inputs/id' }, why: 'w' };
  const detail = { record: 'turn', want, outcome: { outcome: 'read', value: [{ id: 1 }], records: [], truncated: false }, decision: { allow: true } };
  const parts = [
    { name: 'decision', value: { allow: true } },
    { name: 'result', value: [{ id: 1 }] },
  ];
  expect(readDetail(detail, { id: 'C-1' })).toEqual({ tool: 'shop · find', query: undefined, parts: [{ name: 'arguments', value: { id: 'C-1' } }, ...parts] });
  expect(readDetail(detail).parts[0]).toEqual({ name: 'arguments', value: { id: '$inputs/id' } });
});

test('a search shows its query and what it found, and a call that failed shows why', () => {
  const search = { record: 'turn', want: { want: 'search', query: 'vpn', top: 5 }, outcome: { outcome: 'found', hits: [{ evidence: 1, score: 1 }] } };
  expect(readDetail(search)).toEqual({ tool: undefined, query: 'vpn', parts: [{ name: 'result', value: [{ evidence: 1, score: 1 }] }] });
  const failed = { record: 'turn', want: { want: 'call', tool: { connector: 'a', tool: 'b' } }, outcome: { outcome: 'denied', reason: 'no' } };
  expect(readDetail(failed).parts).toEqual([{ name: 'result', value: 'no' }]);
});

test('a plan, a write and an end show what stands nowhere else', () => {
  expect(readDetail({ record: 'plan', plan: { category: 'billing', summary: 's', reason: 'r', from_ticket: {} } }).parts).toEqual([{ name: 'detail', value: { category: 'billing' } }]);
  expect(readDetail({ record: 'action', summary: 's', decision: 'ask', result: 1 }).parts.map(({ name }) => name)).toEqual(['decision', 'result']);
  expect(readDetail({ record: 'end', want: {} }).parts).toEqual([]);
});

test('what is unknown is shown as it is, and nothing as nothing', () => {
  expect(readDetail({ novel: 1 }).parts).toEqual([{ name: 'detail', value: { novel: 1 } }]);
  for (const nothing of [null, undefined, '', {}, []]) expect(readDetail(nothing).parts).toEqual([]);
  expect(readDetail([1]).parts).toEqual([{ name: 'detail', value: [1] }]);
});
