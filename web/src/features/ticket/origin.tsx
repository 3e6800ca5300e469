/** Where evidence comes from, for people. */
import { Database, FileText, MessageSquareText } from 'lucide-react';
import type { Evidence } from '../../api/types';
import { strings } from '../../strings';

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
