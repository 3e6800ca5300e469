/** The inbox. */
import { count } from './count';

export const inbox = {
  title: 'Inbox',
  search: 'Search tickets',
  all: 'All',
  filter: 'Filter by state',
  failed: 'The tickets could not be loaded.',
  empty: 'No tickets yet',
  emptyHint: 'Send one with `POST /api/tickets`, or start the demo with `gaby serve --demo`. It appears here by itself.',
  noMatch: 'No ticket matches',
  noMatchHint: 'Try another word, or look at all states.',
  clear: 'Show all tickets',
  pick: 'Pick a ticket',
  pickHint: 'Gaby’s work on it opens here: what she found, what it rests on, and what she proposes.',
  noSubject: '(no subject)',
  unknownRequester: 'Unknown requester',
  pending: (n: number) => count(n, 'action to approve', 'actions to approve'),
  confidence: (value: number) => `${Math.round(value * 100)} % sure`,
};
