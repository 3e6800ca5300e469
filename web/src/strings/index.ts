/** Every word the console says, in one place: a file a feature. */
import { frame, palette, help, live } from './frame';
import { session } from './session';
import { inbox } from './inbox';
import { ticket, investigation, models, gate } from './ticket';
import { action, approvals } from './approvals';
import { knowledge } from './knowledge';
import { connectors } from './connectors';
import { playbooks } from './playbooks';
import { audit } from './audit';
import { status } from './status';
import { settings } from './settings';
import { errors, time } from './common';
import { modelSettings } from './models-settings';
import { attempt, builder, policies } from './policies';
import * as words from './words';

export const strings = {
  name: 'Gaby',
  loading: 'Loading…',
  retry: 'Try again',
  close: 'Close',
  back: 'Back',
  cancel: 'Cancel',
  more: 'Load more',
  none: 'none',
  emptyText: 'empty',
  skip: 'Skip to content',
  you: 'You',
  demo: 'Demo',
  ...words,
  frame,
  palette,
  help,
  live,
  session,
  inbox,
  ticket,
  investigation,
  models,
  gate,
  action,
  approvals,
  knowledge,
  connectors,
  playbooks,
  audit,
  status,
  settings,
  modelSettings,
  policies,
  builder,
  attempt,
  errors,
  time,
};
