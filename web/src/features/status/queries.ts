import { queryOptions } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { keys } from '../../api/keys';

const LOOK_AGAIN_MS = 10_000;

export const statusQuery = queryOptions({
  queryKey: keys.status,
  queryFn: () => body(api.GET('/api/status')),
  refetchInterval: LOOK_AGAIN_MS,
});
