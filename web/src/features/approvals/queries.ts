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
    edit: useMutation({
      mutationFn: (args: Record<string, unknown>) =>
        body(api.POST('/api/actions/{id}/edit', { params: { path }, body: { decision_hash: action.decision_hash, arguments: args } })),
      onSettled,
    }),
    undo: useMutation({
      mutationFn: () => body(api.POST('/api/actions/{id}/undo', { params: { path } })),
      onSettled,
    }),
  };
}

export const patternsQuery = queryOptions({
  queryKey: keys.patterns,
  queryFn: () => body(api.GET('/api/patterns')),
});

/** A yes in advance to the like of an action: first only considered, then given. */
export function useAllow(id: string) {
  const client = useQueryClient();
  const ask = (like: { calls: number; hours: number }, only_consider: boolean) =>
    body(api.POST('/api/actions/{id}/patterns', { params: { path: { id } }, body: { ...like, only_consider } }));
  return {
    consider: useMutation({ mutationFn: (like: { calls: number; hours: number }) => ask(like, true) }),
    allow: useMutation({
      mutationFn: (like: { calls: number; hours: number }) => ask(like, false),
      onSettled: () => client.invalidateQueries({ queryKey: keys.patterns }),
    }),
  };
}

export function useEndPattern() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => body(api.DELETE('/api/patterns/{id}', { params: { path: { id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: keys.patterns }),
  });
}
