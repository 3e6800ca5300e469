/** Where evidence comes from, for people. */
import { Database, FileText, MessageSquareText } from 'lucide-react';
import type { Evidence, Integrity } from '../../api/types';
import { strings } from '../../strings';
import { Dot, type Tone } from '../../ui/badge';

type Origin = Evidence['origin'];

export function nameOf(origin: Origin): string {
  switch (origin.kind) {
    case 'passage':
      return origin.title || origin.path;
    case 'tool_call':
      return `${origin.tool.connector} · ${origin.tool.tool}`;
    case 'ticket':
      return strings.investigation.fromTicket;
  }
}

/** What narrows it down: the heading, or the place in the result. */
export function placeOf(origin: Origin): string {
  switch (origin.kind) {
    case 'passage':
      return origin.heading;
    case 'tool_call':
      return origin.pointer;
    case 'ticket':
      return '';
  }
}

export function OriginIcon({ origin }: { origin: Origin }) {
  const Icon = origin.kind === 'passage' ? FileText : origin.kind === 'tool_call' ? Database : MessageSquareText;
  return <Icon aria-hidden className="size-4 shrink-0 text-faint" strokeWidth={1.75} />;
}

const INTEGRITY: Record<Integrity, Tone> = {
  outsider: 'warn',
  system: 'info',
  verified_requester: 'ok',
  playbook: 'accent',
  operator: 'accent',
};

/** How far what was read can be trusted, by who wrote it. */
export function Trust({ integrity }: { integrity: Integrity }) {
  return (
    <span className="inline-flex items-center gap-1.5 text-xs text-faint">
      <Dot tone={INTEGRITY[integrity]} />
      {strings.integrity[integrity]}
    </span>
  );
}
