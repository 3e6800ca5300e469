import { infiniteQueryOptions, useMutation } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { keys } from '../../api/keys';

export const auditQuery = infiniteQueryOptions({
  queryKey: keys.audit,
  queryFn: ({ pageParam }) => body(api.GET('/api/audit', { params: { query: { cursor: pageParam } } })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next_cursor ?? undefined,
});

export function useVerify() {
  return useMutation({ mutationFn: () => body(api.POST('/api/audit/verify')) });
}
