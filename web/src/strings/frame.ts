/** The frame around every screen, its palette and its help. */
import { count } from './count';

export const frame = {
  rail: 'Main',
  inbox: 'Inbox',
  approvals: 'Approvals',
  knowledge: 'Knowledge',
  connectors: 'Connectors',
  playbooks: 'Playbooks',
  policies: 'Policies',
  models: 'Models',
  audit: 'Audit',
  status: 'Status',
  settings: 'Settings',
  more: 'More',
  search: 'Search or jump to…',
  help: 'Keyboard shortcuts',
  account: 'Account',
  signOut: 'Sign out',
  workspace: 'Workspace',
  waitingFor: ' waiting: ',
  waiting: (n: number) => count(n, 'action waits for you', 'actions wait for you'),
};

export const palette = {
  label: 'Go anywhere',
  placeholder: 'Type a screen, a ticket or a customer…',
  screens: 'Screens',
  tickets: 'Tickets',
  account: 'Account',
  knowledge: (q: string) => `Search the knowledge base for “${q}”`,
  nothing: 'Nothing matches. Try other words.',
};

export const help = {
  title: 'Keyboard shortcuts',
  everywhere: 'Everywhere',
  inTicket: 'In a ticket',
  inApprovals: 'In approvals',
  palette: 'Go anywhere',
  help: 'This help',
  all: 'All keys',
  move: 'Next, previous',
  open: 'Open',
  closePanel: 'Close a panel',
  citation: 'Open a citation',
  panel: 'Show or hide the investigation',
  reply: 'Reply',
  note: 'Write a note',
  escalate: 'Escalate',
  resolve: 'Resolve',
  approve: 'Approve',
  reject: 'Reject',
};

export const live = {
  lost: 'Live updates are interrupted. Trying to reconnect…',
};
