import { queryOptions } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { keys } from '../../api/keys';

export const playbooksQuery = queryOptions({
  queryKey: keys.playbooks,
  queryFn: () => body(api.GET('/api/playbooks')),
});
