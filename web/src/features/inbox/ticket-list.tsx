import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Search } from 'lucide-react';
import { useDeferredValue, useRef } from 'react';
import { useSearchParams } from 'react-router';
import type { TicketState } from '../../api/types';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { useRowKeys } from '../../ui/keys';
import { Empty, Failure, Skeleton } from '../../ui/states';
import { TICKET_STATES } from './look';
import { ticketPagesQuery } from './queries';
import { StateFilter } from './state-filter';
import { TicketRow } from './ticket-row';

const s = strings.inbox;

export function TicketList({ open }: { open: string | undefined }) {
  const [search, setSearch] = useSearchParams();
  const state = TICKET_STATES.find((known) => known === search.get('state'));
  const typed = search.get('q') ?? '';
  const q = useDeferredValue(typed.trim());
  const tickets = useInfiniteQuery({ ...ticketPagesQuery({ state, q }), placeholderData: keepPreviousData });
  const list = useRef<HTMLUListElement>(null);
  useRowKeys(list);

  const choose = (name: string, value: string) =>
    setSearch(
      (before) => {
        if (value) before.set(name, value);
        else before.delete(name);
        return before;
      },
      { replace: true },
    );
  const chooseState = (chosen: TicketState | undefined) => choose('state', chosen ?? '');

  const pages = tickets.data?.pages ?? [];
  const rows = pages.flatMap((page) => page.items);
  const kept = new URLSearchParams([...(state ? [['state', state]] : []), ...(typed ? [['q', typed]] : [])]).toString();

  return (
    <>
      <header className="flex flex-col gap-2.5 px-4 pt-4 pb-3">
        <h1 className="text-xl font-semibold tracking-tight">{s.title}</h1>
        <div className="relative">
          <Search aria-hidden className="absolute top-2.5 left-2.5 size-4 text-faint" />
          <input
            type="search"
            aria-label={s.search}
            placeholder={s.search}
            value={typed}
            onChange={(event) => choose('q', event.target.value)}
            className="h-9 w-full rounded-lg border border-line bg-surface pr-3 pl-8.5 placeholder:text-faint"
          />
        </div>
        <StateFilter counts={pages[0]?.counts ?? {}} chosen={state} onChoose={chooseState} />
      </header>
      { }
      <div className="min-h-0 flex-1 overflow-y-auto border-t border-line" tabIndex={-1}>
        {tickets.isPending ? (
          <Skeleton lines={7} />
        ) : tickets.error && rows.length === 0 ? (
          <Failure what={s.failed} error={tickets.error} retry={() => void tickets.refetch()} />
        ) : rows.length === 0 ? (
          state || q ? (
            <Empty title={s.noMatch} hint={s.noMatchHint}>
              <Button onClick={() => setSearch({}, { replace: true })}>{s.clear}</Button>
            </Empty>
          ) : (
            <Empty title={s.empty} hint={s.emptyHint} />
          )
        ) : (
          <>
            <ul ref={list}>
              {rows.map((ticket) => (
                <li key={ticket.id}>
                  <TicketRow ticket={ticket} open={ticket.id === open} search={kept} />
                </li>
              ))}
            </ul>
            {tickets.hasNextPage && (
              <div className="p-3 text-center">
                <Button size="small" disabled={tickets.isFetchingNextPage} onClick={() => void tickets.fetchNextPage()}>
                  {strings.more}
                </Button>
              </div>
            )}
          </>
        )}
      </div>
    </>
  );
}
