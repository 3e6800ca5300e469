/** The API's words as people read them. */
import type {
  ActionState,
  Autonomy,
  ConnectorState,
  Integrity,
  InvestigationState,
  Priority,
  Role,
  Scope,
  StepKind,
  TicketState,
  Verdict,
} from '../api/types';

export const ticketState: Record<TicketState, string> = {
  new: 'New',
  investigating: 'Investigating',
  waiting_for_approval: 'Needs approval',
  waiting_for_requester: 'Waiting for reply',
  escalated: 'Escalated',
  resolved: 'Resolved',
  reopened: 'Reopened',
};
export const verdict: Record<Verdict, string> = {
  resolved: 'Resolved',
  needs_approval: 'Needs approval',
  escalated: 'Escalated',
  failed: 'Failed',
};
export const actionState: Record<ActionState, string> = {
  proposed: 'Waiting for you',
  approved: 'Approved',
  intended: 'About to run',
  sent: 'Running',
  done: 'Done',
  failed: 'Failed',
  unknown: 'Outcome unknown',
  rejected: 'Rejected',
  expired: 'Expired',
  void: 'Void',
  undone: 'Undone',
};
export const stage: Record<InvestigationState, string> = {
  planning: 'Working out what is asked',
  retrieving: 'Reading the knowledge base',
  safety_check: 'Checking that the next call is allowed',
  acting: 'Calling a tool',
  observing: 'Recording what came back',
  verdict: 'Weighing what was found',
  writing_back: 'Writing the answer',
  done: 'Done',
};
export const step: Record<StepKind, string> = {
  plan: 'Plan',
  retrieve: 'Search',
  call: 'Tool call',
  observe: 'Observation',
  conclude: 'Conclusion',
};
export const integrity: Record<Integrity, string> = {
  outsider: 'Written by an outsider',
  system: 'From a connected system',
  verified_requester: 'About the verified requester',
  playbook: 'From a playbook',
  operator: 'From your team',
};
export const connectorState: Record<ConnectorState, string> = {
  connecting: 'Connecting',
  up: 'Healthy',
  down: 'Down',
  suspended: 'Suspended',
};
export const autonomy: Record<Autonomy, string> = { investigate: 'Investigate', propose: 'Propose', act: 'Act' };
export const autonomyMeans: Record<Autonomy, string> = {
  investigate: 'Gaby only reads. She cannot even suggest a change.',
  propose: 'Gaby drafts changes, and a person approves each one.',
  act: 'Gaby applies safe changes by herself. Risky ones still wait for a person.',
};
export const priority: Record<Priority, string> = { low: 'Low', normal: 'Normal', high: 'High', urgent: 'Urgent' };
export const role: Record<Role, string> = { viewer: 'Viewer', agent: 'Agent', admin: 'Admin' };
export const roleMeans: Record<Role, string> = {
  viewer: 'Reads everything',
  agent: 'Also replies and approves actions',
  admin: 'Also manages connectors, people and tokens',
};
export const scope: Record<Scope, string> = {
  read: 'Read',
  'tickets:write': 'Hand in tickets',
  admin: 'Administer',
};
