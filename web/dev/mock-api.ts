/** Answers as the server would, from made-up data. Used by tests and by `npm run dev:mock`. */
import * as data from './mock-data.ts';
import { settingsRoutes } from './mock-settings.ts';

export type MockAnswer = { status: number; json?: unknown };
export type Handler = (request: { path: string[]; query: URLSearchParams; body: unknown }) => MockAnswer;

const ok = (json: unknown): MockAnswer => ({ status: 200, json });
const gone = (what: string): MockAnswer => ({ status: 404, json: { error: { code: 'not_found', message: `There is no such ${what}.` } } });
const field = (body: unknown, name: string): unknown => (typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined);

/** One server with its own state; `signedIn: false` begins at the sign-in. */
export function newMock({ signedIn = true, setup = { needed: false, demo: false } } = {}) {
  let session = signedIn;
  const actions = [structuredClone(data.action), structuredClone(data.action2)];
  const connectors = structuredClone(data.connectors);
  const patterns: unknown[] = [];
  const redaction = { kinds: ['email', 'card'], threshold: 50 };
  const action = (id: string | undefined) => actions.find((one) => one.id === id);

  const routes: Record<string, Handler> = {
    ...settingsRoutes(),
    'GET setup': () => ok({ ...setup, needed: setup.needed && !session }),
    'POST setup': () => {
      session = true;
      return ok({ user: data.session.user, csrf: data.session.csrf });
    },
    'GET session': () => (session ? ok(data.session) : { status: 401, json: { error: { code: 'unauthenticated', message: 'Sign in first.' } } }),
    'POST session': ({ body }) => {
      if (field(body, 'password') !== 'correct horse battery') return { status: 401, json: { error: { code: 'wrong', message: 'Wrong address or password.' } } };
      session = true;
      return ok({ user: data.session.user, csrf: data.session.csrf });
    },
    'DELETE session': () => {
      session = false;
      return { status: 204 };
    },
    'GET tickets': ({ query }) => {
      const counts: Record<string, number> = {};
      for (const ticket of data.tickets) counts[ticket.state] = (counts[ticket.state] ?? 0) + 1;
      const state = query.get('state');
      const q = (query.get('q') ?? '').toLowerCase();
      const items = data.tickets.filter((ticket) => (!state || ticket.state === state) && `${ticket.subject} ${ticket.preview} ${ticket.requester?.name ?? ''}`.toLowerCase().includes(q));
      return ok({ items, next_cursor: null, counts });
    },
    'GET tickets/*': ({ path }) => {
      const view = data.ticketView(path[1] ?? '');
      return view ? ok({ ...view, actions: view.actions.map((one) => action(one.id) ?? one) }) : gone('ticket');
    },
    'POST tickets/*/messages': ({ path, body }) => ({ status: 201, json: { id: 'msg_1', ticket: path[1], author: field(body, 'author'), body: field(body, 'body'), citations: [], created_at: data.minutesAgo(0) } }),
    'POST tickets/*/state': ({ path }) => ok(data.ticketView(path[1] ?? '')?.ticket),
    'POST tickets/*/investigate': ({ path }) => ({ status: 202, json: { ticket: path[1], investigation: null } }),
    'GET investigations/*/llm-calls': () => ok({ items: data.modelCalls, used: { calls: 1, input_tokens: 6100, output_tokens: 240, micro_usd: 21900 } }),
    'GET llm-calls/*': ({ path }) => {
      const one = data.modelCalls.find((call) => call.id === path[1]);
      return one ? ok(one) : gone('call');
    },
    'GET actions': ({ query }) => ok({ items: actions.filter((one) => !query.get('state') || one.state === query.get('state')) }),
    'GET actions/*': ({ path }) => {
      const one = action(path[1]);
      return one ? ok(one) : gone('action');
    },
    'POST actions/*/approve': ({ path, body }) => {
      const one = action(path[1]);
      if (!one) return gone('action');
      if (field(body, 'decision_hash') !== one.decision_hash) return { status: 409, json: { error: { code: 'conflict', message: 'The action is no longer what was shown.' } } };
      Object.assign(one, { state: 'done', outcome: { rows_changed: 1 }, decided_at: data.minutesAgo(0) });
      return ok(one);
    },
    'POST actions/*/reject': ({ path, body }) => {
      const one = action(path[1]);
      if (!one) return gone('action');
      Object.assign(one, { state: 'rejected', rejection: field(body, 'reason'), decided_at: data.minutesAgo(0) });
      return ok(one);
    },
    'POST actions/*/edit': ({ path, body }) => {
      const one = action(path[1]);
      if (!one) return gone('action');
      if (field(body, 'decision_hash') !== one.decision_hash) return { status: 409, json: { error: { code: 'conflict', message: 'The action is no longer what was shown.' } } };
      const args = field(body, 'arguments');
      const next = { ...structuredClone(one), id: `${one.id}9`, replaces: one.id, decision_hash: 'ff00', call: { ...one.call, arguments: args }, display: { arguments: args, warnings: [] } };
      Object.assign(one, { state: 'void', outcome: { error: 'its arguments were edited' } });
      actions.push(next);
      return ok(next);
    },
    'GET patterns': () => ok({ items: [...patterns] }),
    'POST actions/*/patterns': ({ path, body }) => {
      const one = action(path[1]);
      if (!one) return gone('action');
      const pattern = { id: 'pat_1', tool: one.call.tool, arguments: { payment_id: { equals: 'pay_7732' } }, remaining: Number(field(body, 'calls')), ends_at: data.minutesAgo(-60), by: 'usr_1' };
      if (!field(body, 'only_consider')) patterns.push(pattern);
      return ok({ pattern, would_have_covered: 1, summaries: [one.summary] });
    },
    'DELETE patterns/*': () => {
      patterns.length = 0;
      return { status: 204 };
    },
    'POST links/follow': ({ body }) => (field(body, 'token') === 'good' ? ok({ action: data.action.id }) : { status: 409, json: { error: { code: 'conflict', message: 'This link was used already.' } } }),
    'POST connectors/*/scope': ({ path, body }) => {
      const one = connectors.find((connector) => connector.name === path[1]);
      if (!one) return gone('connector');
      Object.assign(one.grant, { scope: field(body, 'scope'), revoked: null });
      return ok(one);
    },
    'POST connectors/*/revoke': ({ path, body }) => {
      const one = connectors.find((connector) => connector.name === path[1]);
      if (!one) return gone('connector');
      Object.assign(one.grant, { revoked: field(body, 'reason') });
      return ok(one);
    },
    'GET connectors/*/consents': ({ path }) =>
      ok({ items: [{ id: 'cns_1', connector: path[1], kind: 'connected', by: 'command line', before: null, after: data.connectors[0]?.grant, at: data.minutesAgo(60) }] }),
    'GET connectors/*/shadow': ({ path }) => ok({ connector: path[1], since: data.minutesAgo(10080), would_have_acted: 0, would_have_asked: 0, as_gaby_would_have: 0, as_it_was: 0, otherwise: 0, not_looked: 0, by_tool: {}, by_reason: {}, rehearsals: [] }),
    'GET knowledge/search': ({ query }) => ok({ hits: query.get('q') === 'nothing' ? [] : data.hits, seconds: 0.0042 }),
    'GET knowledge/sources': () => ok({ sources: data.sources, totals: { documents: 71, chunks: 696, embedded: 485 } }),
    'GET knowledge/documents': () => ok({ items: data.documents.map(({ id, path, title, source, updated_at }) => ({ id, path, title, source, updated_at, chunks: 4 })), next_cursor: null }),
    'GET knowledge/documents/*': ({ path }) => {
      const document = data.documents.find((one) => one.id === path[2]);
      return document ? ok(document) : gone('document');
    },
    'GET connectors': () => ok({ items: connectors }),
    'POST connectors/*/autonomy': ({ path, body }) => {
      const one = connectors.find((connector) => connector.name === path[1]);
      if (!one) return gone('connector');
      Object.assign(one, { autonomy: field(body, 'autonomy') });
      return ok(one);
    },
    'POST connectors/*/test': ({ path }) => ok(connectors.find((connector) => connector.name === path[1])),
    'GET playbooks': () => ok({ items: data.playbooks }),
    'GET audit': () => ok({ items: data.auditEntries, next_cursor: null }),
    'POST audit/verify': () => ok({ ok: true, entries: 24, problem: null }),
    'GET users': () => ok({ items: [data.session.user] }),
    'POST users': ({ body }) => ({ status: 201, json: { ...(body as object), id: 'usr_2', created_at: data.minutesAgo(0) } }),
    'GET settings/redaction': () => ok(redaction),
    'POST settings/redaction': ({ body }) => ok(Object.assign(redaction, body)),
    'POST settings/redaction/try': ({ body }) => ok({ text: String(field(body, 'text')).replace(/\S+@\S+/g, '[email_0123456789ab]'), found: [] }),
    'GET tokens': () => ok({ items: [] }),
    'POST tokens': ({ body }) => ({ status: 201, json: { ...(body as object), id: 'tok_1', token: 'gaby_secret', workspace: 'demo', created_at: data.minutesAgo(0), expires_at: data.minutesAgo(-1000), last_used_at: null } }),
    'GET status': () => ok(data.status),
  };

  return (method: string, url: URL, body: unknown): MockAnswer => {
    const path = url.pathname.replace(/^\/api\//, '').split('/').map(decodeURIComponent);
    const name = Object.keys(routes).find((route) => {
      const [wanted, pattern = ''] = route.split(' ');
      const parts = pattern.split('/');
      return wanted === method && parts.length === path.length && parts.every((part, i) => part === '*' || part === path[i]);
    });
    const handler = name === undefined ? undefined : routes[name];
    return handler ? handler({ path, query: url.searchParams, body }) : gone('address');
  };
}
