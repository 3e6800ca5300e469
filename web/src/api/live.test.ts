import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keys } from './keys';
import { gatherer } from './live';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('a burst of events asks for each thing once', () => {
  const client = new QueryClient();
  const invalidate = vi.spyOn(client, 'invalidateQueries');
  const gather = gatherer(client);
  for (let number = 1; number <= 20; number += 1) gather.add({ type: 'step_recorded', ticket: 'tkt_1', investigation: 'inv_1', number });
  gather.add({ type: 'ticket_changed', ticket: 'tkt_1' });
  expect(invalidate).not.toHaveBeenCalled();
  vi.runAllTimers();
  expect(invalidate.mock.calls.map(([filter]) => filter?.queryKey)).toEqual([keys.ticket('tkt_1'), keys.modelCalls('inv_1'), keys.tickets]);
});

test('missed events make everything stale, and a watcher that left asks for nothing', () => {
  const client = new QueryClient();
  const invalidate = vi.spyOn(client, 'invalidateQueries');
  const gather = gatherer(client);
  gather.add({ type: 'resync' });
  vi.runAllTimers();
  expect(invalidate).toHaveBeenCalledWith({ queryKey: keys.all });
  invalidate.mockClear();
  gather.add({ type: 'knowledge_changed' });
  gather.stop();
  vi.runAllTimers();
  expect(invalidate).not.toHaveBeenCalled();
});
