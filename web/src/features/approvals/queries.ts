import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { keys } from '../../api/keys';
import type { Action } from '../../api/types';

export const waitingActionsQuery = queryOptions({
  queryKey: [...keys.actions, 'waiting'],
  queryFn: () => body(api.GET('/api/actions', { params: { query: { state: 'proposed' } } })),
});

export const allActionsQuery = queryOptions({
  queryKey: [...keys.actions, 'all'],
  queryFn: () => body(api.GET('/api/actions')),
});

export const actionQuery = (id: string) =>
  queryOptions({
    queryKey: keys.action(id),
    queryFn: () => body(api.GET('/api/actions/{id}', { params: { path: { id } } })),
  });

export function useDecisions(action: Pick<Action, 'id' | 'ticket' | 'decision_hash'>) {
  const client = useQueryClient();
  const path = { id: action.id };
  // Also after a refusal: it means that what is on the screen is no longer so.
  const onSettled = async () => {
    await Promise.all(
      [keys.actions, keys.ticket(action.ticket), keys.tickets].map((queryKey) => client.invalidateQueries({ queryKey })),
    );
  };
  return {
    approve: useMutation({
      mutationFn: () => body(api.POST('/api/actions/{id}/approve', { params: { path }, body: { decision_hash: action.decision_hash } })),
      onSettled,
    }),
    reject: useMutation({
      mutationFn: (reason: string) => body(api.POST('/api/actions/{id}/reject', { params: { path }, body: { reason } })),
      onSettled,
    }),
    undo: useMutation({
      mutationFn: () => body(api.POST('/api/actions/{id}/undo', { params: { path } })),
      onSettled,
    }),
  };
}
