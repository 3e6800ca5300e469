import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { keys } from '../../api/keys';
import type { PolicyCheck } from '../../api/types';

export const policiesQuery = queryOptions({ queryKey: keys.policies, queryFn: () => body(api.GET('/api/policies')) });

export function usePutPolicy() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ name, text }: { name: string; text: string }) => body(api.PUT('/api/policies/{name}', { params: { path: { name } }, body: { text } })),
    onSuccess: (list) => client.setQueryData(keys.policies, list),
  });
}

export function useRemovePolicy() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => body(api.DELETE('/api/policies/{name}', { params: { path: { name } } })),
    onSettled: () => client.invalidateQueries({ queryKey: keys.policies }),
  });
}

export function useCheckPolicy() {
  return useMutation({ mutationFn: (call: PolicyCheck) => body(api.POST('/api/policies/check', { body: call })) });
}
