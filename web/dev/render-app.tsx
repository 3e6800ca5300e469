/** The whole console on a mock server, for tests. */
import { QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { MemoryRouter } from 'react-router';
import { vi } from 'vitest';
import { newQueryClient, Screens } from '../src/app';
import { newMock, type MockAnswer } from './mock-api';

export type Sent = { method: string; path: string; headers: Headers; body: unknown };

class NoEvents {
  onmessage: unknown = null;
  close() {
    return undefined;
  }
}

type Options = { signedIn?: boolean; setup?: { needed: boolean; demo: boolean }; override?: (method: string, path: string) => MockAnswer | 'unreachable' | undefined };

/** Renders the console at an address. `sent` collects what was asked of the server. */
export function renderApp(address: string, { signedIn = true, setup, override }: Options = {}) {
  const mock = newMock({ signedIn, ...(setup && { setup }) });
  const sent: Sent[] = [];
  vi.stubGlobal('EventSource', NoEvents);
  vi.stubGlobal('fetch', async (request: Request) => {
    const url = new URL(request.url);
    const text = await request.clone().text();
    const body: unknown = text ? JSON.parse(text) : undefined;
    sent.push({ method: request.method, path: url.pathname + url.search, headers: request.headers, body });
    const answer = override?.(request.method, url.pathname + url.search) ?? mock(request.method, url, body);
    if (answer === 'unreachable') throw new TypeError('fetch failed');
    const json = answer.json === undefined ? null : JSON.stringify(answer.json);
    return new Response(json, { status: answer.status, headers: { 'content-type': 'application/json' } });
  });
  const client = newQueryClient();
  client.setDefaultOptions({ queries: { ...client.getDefaultOptions().queries, retry: false } });
  const view = render(
    <QueryClientProvider client={client}>
      <MemoryRouter initialEntries={[address]}>
        <Screens />
      </MemoryRouter>
    </QueryClientProvider>,
  );
  return { ...view, sent, user: userEvent.setup(), client };
}
