import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { keys } from '../../api/keys';

const TOP = 20;

export const searchQuery = (q: string) =>
  queryOptions({
    queryKey: [...keys.knowledge, 'search', q],
    queryFn: ({ signal }) => body(api.GET('/api/knowledge/search', { params: { query: { q, top: TOP, explain: true } }, signal })),
    enabled: q !== '',
  });

export const sourcesQuery = queryOptions({
  queryKey: [...keys.knowledge, 'sources'],
  queryFn: () => body(api.GET('/api/knowledge/sources')),
});

export const documentsQuery = infiniteQueryOptions({
  queryKey: [...keys.knowledge, 'documents'],
  queryFn: ({ pageParam }) => body(api.GET('/api/knowledge/documents', { params: { query: { cursor: pageParam } } })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next_cursor ?? undefined,
});

export const documentQuery = (id: string) =>
  queryOptions({
    queryKey: [...keys.knowledge, 'document', id],
    queryFn: () => body(api.GET('/api/knowledge/documents/{id}', { params: { path: { id } } })),
  });
