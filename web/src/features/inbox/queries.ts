import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { keys } from '../../api/keys';
import type { TicketState } from '../../api/types';

export type TicketFilter = { state?: TicketState | undefined; q?: string | undefined };

const PAGE = 50;

function request(filter: TicketFilter, cursor: string | undefined) {
  const query = { limit: PAGE, state: filter.state, q: filter.q || undefined, cursor };
  return body(api.GET('/api/tickets', { params: { query } }));
}

export const ticketsQuery = (filter: TicketFilter) =>
  queryOptions({ queryKey: [...keys.tickets, 'first', filter], queryFn: () => request(filter, undefined) });

export const ticketPagesQuery = (filter: TicketFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.tickets, 'pages', filter],
    queryFn: ({ pageParam }) => request(filter, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
