/** Playbooks. */
export const playbooks = {
  title: 'Playbooks',
  intro: 'What Gaby does about tickets that come again and again.',
  failed: 'The playbooks could not be loaded.',
  empty: 'No playbooks',
  emptyHint: 'Put YAML files into the playbooks folder, and check them with `gaby playbook lint`.',
  triggers: 'Called for by',
  moreTriggers: (n: number) => `and ${n} more`,
  tools: 'Needs',
  missing: 'no connector offers this yet',
  optional: 'not connected, can do without',
  noTools: 'Works from the knowledge base alone.',
  ready: 'Ready',
  partly: 'Partly connected',
};
