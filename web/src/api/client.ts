/** The one way to the server: typed by the OpenAPI document, signed in by cookie. */
import createClient, { type Middleware } from 'openapi-fetch';
import { failureFrom } from './failure';
import type { paths } from './schema';

const WORKSPACE_KEY = 'gaby.workspace';
let csrf = '';

/** Keeps the token that every call that changes something carries. */
export function rememberCsrf(token: string): void {
  csrf = token;
}

/** The workspace this browser looks at; empty for the server's choice. */
export function chosenWorkspace(): string {
  return localStorage.getItem(WORKSPACE_KEY) ?? '';
}

export function chooseWorkspace(slug: string): void {
  if (slug) localStorage.setItem(WORKSPACE_KEY, slug);
  else localStorage.removeItem(WORKSPACE_KEY);
}

const headers: Middleware = {
  onRequest({ request }) {
    const workspace = chosenWorkspace();
    if (workspace) request.headers.set('X-Gaby-Workspace', workspace);
    if (request.method !== 'GET' && csrf) request.headers.set('X-Gaby-CSRF', csrf);
    return request;
  },
};

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  // Looked up at each call, so that a test can put another one in place.
  fetch: (request) => globalThis.fetch(request),
});
api.use(headers);

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The body of an answer; throws what the server said when it was not a good one. */
export async function body<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) throw failureFrom(response.status, error);
  return data as T;
}
