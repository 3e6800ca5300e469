/** How states, verdicts and priorities look. */
import type { Priority, TicketState, Verdict } from '../../api/types';
import type { Tone } from '../../ui/badge';

export const TICKET_STATES: TicketState[] = [
  'waiting_for_approval',
  'escalated',
  'investigating',
  'new',
  'reopened',
  'waiting_for_requester',
  'resolved',
];

export const stateTone: Record<TicketState, Tone> = {
  new: 'info',
  investigating: 'accent',
  waiting_for_approval: 'warn',
  waiting_for_requester: 'neutral',
  escalated: 'bad',
  resolved: 'ok',
  reopened: 'info',
};

export const verdictTone: Record<Verdict, Tone> = {
  resolved: 'ok',
  needs_approval: 'warn',
  escalated: 'bad',
  failed: 'bad',
};

export const isPressing = (priority: Priority) => priority === 'high' || priority === 'urgent';

/** Whether Gaby found an answer; how sure she is of having found none says nothing. */
export const isAnswered = (verdict: Verdict | null | undefined) => verdict === 'resolved' || verdict === 'needs_approval';
