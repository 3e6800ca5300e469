import type { ActionState } from '../../api/types';
import type { Tone } from '../../ui/badge';

export const actionTone: Record<ActionState, Tone> = {
  proposed: 'warn',
  approved: 'accent',
  intended: 'accent',
  sent: 'accent',
  done: 'ok',
  failed: 'bad',
  unknown: 'bad',
  rejected: 'neutral',
  expired: 'neutral',
  void: 'neutral',
  undone: 'neutral',
};

export const isRunning = (state: ActionState) => state === 'approved' || state === 'intended' || state === 'sent';

export function riskTone(risk: number): Tone {
  if (risk >= 70) return 'bad';
  return risk >= 40 ? 'warn' : 'ok';
}
