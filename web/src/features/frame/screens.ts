/** The screens that exist, in the order of the rail. */
import { Activity, BookOpenText, Inbox, ListChecks, Plug, Scale, ScrollText, Settings, ShieldCheck, type LucideIcon } from 'lucide-react';
import { strings } from '../../strings';

export type ScreenLink = { to: string; label: string; icon: LucideIcon };

const f = strings.frame;

export const SCREENS: ScreenLink[] = [
  { to: '/inbox', label: f.inbox, icon: Inbox },
  { to: '/approvals', label: f.approvals, icon: ShieldCheck },
  { to: '/knowledge', label: f.knowledge, icon: BookOpenText },
  { to: '/connectors', label: f.connectors, icon: Plug },
  { to: '/playbooks', label: f.playbooks, icon: ListChecks },
  { to: '/policies', label: f.policies, icon: Scale },
  { to: '/audit', label: f.audit, icon: ScrollText },
  { to: '/status', label: f.status, icon: Activity },
  { to: '/settings', label: f.settings, icon: Settings },
];

/** How many stand in the bar of a phone before "more". */
export const ON_A_PHONE = 4;
