/** What Gaby found: verdict, proposed actions, answer, steps, evidence, in the order they are needed. */
import { ChevronDown, ChevronRight } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Evidence, Investigation, TicketView } from '../../api/types';
import { strings } from '../../strings';
import { Empty } from '../../ui/states';
import { ActionCard } from '../approvals/action-card';
import { Cited } from './conversation';
import { EvidenceCard } from './evidence-card';
import { ModelCalls } from './model-calls';
import { Timeline } from './timeline';
import { VerdictCard } from './verdict-card';

const s = strings.investigation;

export function InvestigationPanel({ view }: { view: TicketView }) {
  const { investigation, actions } = view;
  if (!investigation) return <Empty title={s.waiting} hint={s.waitingHint} />;
  const waiting = actions.filter((action) => action.state === 'proposed');
  const others = actions.filter((action) => action.state !== 'proposed');
  return (
    <div className="flex flex-col gap-5 px-4 py-4">
      <VerdictCard investigation={investigation} />
      {waiting.length > 0 && (
        <Part title={s.proposed} count={waiting.length}>
          {waiting.map((action) => (
            <ActionCard key={action.id} action={action} />
          ))}
        </Part>
      )}
      <Answer view={view} investigation={investigation} />
      {others.length > 0 && (
        <Part title={s.actions} count={others.length}>
          {others.map((action) => (
            <ActionCard key={action.id} action={action} />
          ))}
        </Part>
      )}
      <Part title={s.steps} count={investigation.steps.length}>
        <Timeline investigation={investigation} />
      </Part>
      <EvidencePart investigation={investigation} />
      {investigation.brain === 'llm' && (
        <Part title={strings.models.title} count={investigation.usage.model_calls}>
          <ModelCalls investigation={investigation.id} />
        </Part>
      )}
    </div>
  );
}

/** What the answer rests on; what was only read is there on demand. */
function EvidencePart({ investigation }: { investigation: Investigation }) {
  const { evidence, citations } = investigation;
  const cited = new Set((citations ?? []).map(({ number }) => number));
  const shown = cited.size > 0 ? evidence.filter(({ number }) => cited.has(number)) : evidence;
  const others = evidence.filter((one) => !shown.includes(one));
  const cards = (list: Evidence[]) => list.map((one) => <EvidenceCard key={one.id} evidence={one} />);
  return (
    <Part title={s.evidence} count={shown.length}>
      {evidence.length === 0 && <p className="text-sm text-soft">{s.noEvidence}</p>}
      {cards(shown)}
      {others.length > 0 && (
        <details className="group/others">
          <summary className="inline-flex items-center gap-1 rounded-md py-1 text-sm text-soft hover:text-ink">
            <ChevronRight aria-hidden className="size-4 transition-transform group-open/others:rotate-90" />
            {s.read(others.length)}
          </summary>
          <div className="mt-2 flex flex-col gap-2">{cards(others)}</div>
        </details>
      )}
    </Part>
  );
}

/** The answer, unless it stands in the conversation already. */
function Answer({ view, investigation }: { view: TicketView; investigation: Investigation }) {
  const { reply, verdict } = investigation;
  if (!reply || view.messages.some((message) => message.body.trim() === reply.trim())) return null;
  const title = verdict === 'escalated' || verdict === 'failed' ? s.handover : verdict === 'resolved' ? s.answer : s.draft;
  return (
    <Part title={title}>
      <div className="rounded-xl border border-line bg-surface px-4 py-3">
        <Cited body={reply} citations={investigation.citations ?? []} evidence={investigation.evidence} />
      </div>
    </Part>
  );
}

function Part({ title, count, children }: { title: string; count?: number; children: ReactNode }) {
  return (
    <details open className="group/part flex flex-col">
      <summary className="mb-2 flex items-center gap-2 rounded-md text-sm font-semibold">
        <ChevronDown aria-hidden className="size-4 -rotate-90 text-faint transition-transform group-open/part:rotate-0" />
        <h3>{title}</h3>
        {count !== undefined && <span className="text-xs font-medium text-faint">{count}</span>}
      </summary>
      <div className="flex flex-col gap-2">{children}</div>
    </details>
  );
}
