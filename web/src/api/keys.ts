/** Names under which answers are kept, so that live events can say which are stale. */
export const keys = {
  all: ['gaby'] as const,
  setup: ['setup'] as const,
  session: ['session'] as const,
  tickets: ['gaby', 'tickets'] as const,
  ticket: (id: string) => ['gaby', 'ticket', id] as const,
  modelCalls: (investigation: string) => ['gaby', 'model-calls', investigation] as const,
  modelCall: (id: string) => ['gaby', 'model-call', id] as const,
  actions: ['gaby', 'actions'] as const,
  action: (id: string) => ['gaby', 'actions', 'one', id] as const,
  knowledge: ['gaby', 'knowledge'] as const,
  connectors: ['gaby', 'connectors'] as const,
  playbooks: ['gaby', 'playbooks'] as const,
  audit: ['gaby', 'audit'] as const,
  status: ['gaby', 'status'] as const,
  users: ['gaby', 'users'] as const,
  tokens: ['gaby', 'tokens'] as const,
};
