import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { keys } from '../../api/keys';
import type { Autonomy, ScopeKind } from '../../api/types';

export const connectorsQuery = queryOptions({
  queryKey: keys.connectors,
  queryFn: () => body(api.GET('/api/connectors')),
});

export function useConnector(name: string) {
  const client = useQueryClient();
  const path = { name };
  const onSettled = () => client.invalidateQueries({ queryKey: keys.connectors });
  return {
    setAutonomy: useMutation({
      mutationFn: (autonomy: Autonomy) =>
        body(api.POST('/api/connectors/{name}/autonomy', { params: { path }, body: { autonomy } })),
      onSettled,
    }),
    test: useMutation({
      mutationFn: () => body(api.POST('/api/connectors/{name}/test', { params: { path } })),
      onSettled,
    }),
  };
}

export const consentsQuery = (name: string) =>
  queryOptions({
    queryKey: keys.consents(name),
    queryFn: () => body(api.GET('/api/connectors/{name}/consents', { params: { path: { name } } })),
  });

export const shadowQuery = (name: string) =>
  queryOptions({
    queryKey: keys.shadow(name),
    queryFn: () => body(api.GET('/api/connectors/{name}/shadow', { params: { path: { name }, query: { days: 7 } } })),
  });

export function useGrant(name: string) {
  const client = useQueryClient();
  const path = { name };
  const onSettled = () => client.invalidateQueries({ queryKey: keys.connectors });
  return {
    setScope: useMutation({
      mutationFn: (scope: ScopeKind) => body(api.POST('/api/connectors/{name}/scope', { params: { path }, body: { scope } })),
      onSettled,
    }),
    revoke: useMutation({
      mutationFn: (reason: string) => body(api.POST('/api/connectors/{name}/revoke', { params: { path }, body: { reason } })),
      onSettled,
    }),
  };
}
