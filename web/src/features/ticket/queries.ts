import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { keys } from '../../api/keys';
import type { Depth, TicketState } from '../../api/types';

export const ticketQuery = (id: string) =>
  queryOptions({
    queryKey: keys.ticket(id),
    queryFn: () => body(api.GET('/api/tickets/{id}', { params: { path: { id } } })),
  });

export const modelCallsQuery = (investigation: string) =>
  queryOptions({
    queryKey: keys.modelCalls(investigation),
    queryFn: () => body(api.GET('/api/investigations/{id}/llm-calls', { params: { path: { id: investigation } } })),
  });

export const modelCallQuery = (id: string) =>
  queryOptions({
    queryKey: keys.modelCall(id),
    queryFn: () => body(api.GET('/api/llm-calls/{id}', { params: { path: { id } } })),
  });

function useRefresh(id: string) {
  const client = useQueryClient();
  return async () => {
    await Promise.all([
      client.invalidateQueries({ queryKey: keys.ticket(id) }),
      client.invalidateQueries({ queryKey: keys.tickets }),
    ]);
  };
}

export function useAddMessage(id: string) {
  const refresh = useRefresh(id);
  return useMutation({
    mutationFn: (message: { body: string; author: 'agent' | 'note' }) =>
      body(api.POST('/api/tickets/{id}/messages', { params: { path: { id } }, body: message })),
    onSuccess: refresh,
  });
}

export function useSetState(id: string) {
  const refresh = useRefresh(id);
  return useMutation({
    mutationFn: (state: TicketState) =>
      body(api.POST('/api/tickets/{id}/state', { params: { path: { id } }, body: { state } })),
    onSuccess: refresh,
  });
}

export function useInvestigateAgain(id: string) {
  const refresh = useRefresh(id);
  return useMutation({
    mutationFn: (depth: Depth) =>
      body(api.POST('/api/tickets/{id}/investigate', { params: { path: { id } }, body: { depth } })),
    onSuccess: refresh,
  });
}
