import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { keys } from '../../api/keys';
import type { RedactionProfile, Role, Scope } from '../../api/types';

export const usersQuery = queryOptions({ queryKey: keys.users, queryFn: () => body(api.GET('/api/users')) });
export const tokensQuery = queryOptions({ queryKey: keys.tokens, queryFn: () => body(api.GET('/api/tokens')) });

export function useAddUser() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (user: { email: string; name: string; role: Role; password: string }) => body(api.POST('/api/users', { body: user })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.users }),
  });
}

export function useAddToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (token: { name: string; scopes: Scope[]; sources: string[]; days: number }) => body(api.POST('/api/tokens', { body: token })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.tokens }),
  });
}

export function useRevokeToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => body(api.DELETE('/api/tokens/{id}', { params: { path: { id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: keys.tokens }),
  });
}

export const redactionQuery = queryOptions({ queryKey: keys.redaction, queryFn: () => body(api.GET('/api/settings/redaction')) });

export function useSettleRedaction() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (profile: RedactionProfile) => body(api.POST('/api/settings/redaction', { body: profile })),
    onSettled: () => client.invalidateQueries({ queryKey: keys.redaction }),
  });
}

export function useTryRedaction() {
  return useMutation({ mutationFn: (text: string) => body(api.POST('/api/settings/redaction/try', { body: { text } })) });
}
