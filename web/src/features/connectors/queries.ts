import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { keys } from '../../api/keys';
import type { Autonomy } from '../../api/types';

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
