/** The audit log. */
import { count } from './count';

export const audit = {
  title: 'Audit',
  intro: 'Everything that happened, in a chain in which no link can be changed unseen.',
  failed: 'The audit log could not be loaded.',
  empty: 'Nothing happened yet',
  emptyHint: 'Every sign-in, investigation, decision and write leaves an entry here.',
  verify: 'Verify the chain',
  verifying: 'Verifying…',
  good: (n: number) => `The chain is whole: ${count(n, 'entry', 'entries')} checked, nothing was changed, removed or moved.`,
  bad: 'The chain is broken',
  verifyFailed: 'The chain could not be checked.',
  seq: 'No.',
  when: 'When',
  actor: 'Who',
  action: 'What',
  object: 'On',
  hash: 'Hash',
};
