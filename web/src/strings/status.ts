/** Whether everything works. */
import { count } from './count';

export const status = {
  title: 'Status',
  failed: 'The status could not be loaded.',
  allGood: 'Everything is working',
  attention: 'Something needs attention',
  version: 'Version',
  database: 'Database',
  brain: 'Brain',
  builtin: 'Built-in (no language model)',
  queue: 'Queue',
  ready: 'Waiting',
  leased: 'Being worked on',
  oldest: 'Oldest waits',
  noneWaits: 'nothing waits',
  dead: 'Gave up, waits for a person',
  embedding: 'Embedding model',
  pending: 'Passages to embed',
  allEmbedded: 'none, all done',
  connectors: 'Connectors',
  noConnectors: 'No connectors yet.',
  connectorProblem: (name: string, state: string, why: string | null) => `${name}: ${why ?? state}`,
  deadProblem: (n: number) => `${count(n, 'job was', 'jobs were')} given up after several attempts.`,
  licences: 'Licences of what this console is built on',
};
