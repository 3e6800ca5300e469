/** Live views: what the server says has changed is asked for again. */
import { useQueryClient, type QueryClient, type QueryKey } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { chosenWorkspace } from './client';
import { keys } from './keys';
import type { LiveEvent } from './types';

const GATHER_MS = 120;

/** What an event makes stale. */
export function staleKeys(event: LiveEvent): QueryKey[] {
  switch (event.type) {
    case 'ticket_changed':
      return [keys.tickets, keys.ticket(event.ticket)];
    case 'investigation_changed':
      return [keys.tickets, keys.ticket(event.ticket), keys.modelCalls(event.investigation)];
    case 'step_recorded':
      return [keys.ticket(event.ticket), keys.modelCalls(event.investigation)];
    case 'action_changed':
      return [keys.actions, keys.tickets, keys.ticket(event.ticket)];
    case 'connector_changed':
      return [keys.connectors, keys.status, keys.playbooks];
    case 'knowledge_changed':
      return [keys.knowledge, keys.status];
    case 'resync':
      return [keys.all];
  }
}

/** Gathers what is stale for a moment, so that a burst of events asks for each thing once. */
export function gatherer(client: QueryClient): { add: (event: LiveEvent) => void; stop: () => void } {
  const waiting = new Map<string, QueryKey>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    const stale = [...waiting.values()];
    waiting.clear();
    for (const queryKey of stale) void client.invalidateQueries({ queryKey });
  };
  return {
    add(event) {
      for (const key of staleKeys(event)) waiting.set(JSON.stringify(key), key);
      timer ??= setTimeout(flush, GATHER_MS);
    },
    stop() {
      clearTimeout(timer);
      waiting.clear();
    },
  };
}

export type Connection = 'connecting' | 'live' | 'lost';

/** Follows the server's events while the component lives. */
export function useLiveEvents(): Connection {
  const client = useQueryClient();
  const [connection, setConnection] = useState<Connection>('connecting');
  useEffect(() => {
    const workspace = chosenWorkspace();
    const query = workspace ? `?workspace=${encodeURIComponent(workspace)}` : '';
    const source = new EventSource(`/api/events${query}`);
    const gather = gatherer(client);
    let missed = false;
    source.onopen = () => {
      setConnection('live');
      // What happened while the line was down is not told again.
      if (missed) gather.add({ type: 'resync' });
      missed = false;
    };
    source.onerror = () => {
      missed = true;
      setConnection('lost');
    };
    source.onmessage = (message: MessageEvent<string>) => gather.add(JSON.parse(message.data) as LiveEvent);
    return () => {
      source.close();
      gather.stop();
    };
  }, [client]);
  return connection;
}
