import { ChevronRight, Eye, Flag, Lightbulb, Search, Wrench, type LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Evidence, Investigation, Step, StepKind } from '../../api/types';
import { strings } from '../../strings';
import { Dot } from '../../ui/badge';
import { Data } from '../../ui/json';
import { Label } from '../../ui/screen';
import { Sentence } from '../../ui/sentence';
import { exact } from '../../ui/time';
import { CitationLink } from './citation-link';
import { GateDecision } from './gate-decision';
import { readDetail } from './step-detail';

const s = strings.investigation;
const ICONS: Record<StepKind, LucideIcon> = { plan: Lightbulb, retrieve: Search, call: Wrench, observe: Eye, conclude: Flag };

/** What Gaby did, in order, and why; what each step used and gave is there on demand. */
export function Timeline({ investigation }: { investigation: Investigation }) {
  const evidence = new Map(investigation.evidence.map((one) => [one.number, one]));
  return (
    <ol className="flex flex-col">
      {investigation.steps.length === 0 && <li className="text-sm text-soft">{s.noSteps}</li>}
      {investigation.steps.map((step, index) => (
        <StepLine key={step.id} step={step} exact={exactArguments(step, evidence)} last={index === investigation.steps.length - 1 && investigation.state === 'done'}>
          {(step.evidence ?? []).map((number) => (
            <CitationLink key={number} number={number} evidence={evidence.get(number)} />
          ))}
        </StepLine>
      ))}
      {investigation.state !== 'done' && (
        <li className="flex items-center gap-3 py-1 text-sm text-soft">
          <span className="grid size-7 place-items-center">
            <Dot tone="accent" alive />
          </span>
          {strings.stage[investigation.state]}…
        </li>
      )}
    </ol>
  );
}

/** The arguments as they were sent: what a call found says with what it was asked. */
function exactArguments(step: Step, evidence: Map<number, Evidence>): unknown {
  const origin = step.evidence?.map((number) => evidence.get(number)?.origin).find((one) => one?.kind === 'tool_call');
  return origin?.kind === 'tool_call' ? origin.arguments : undefined;
}

type LineProps = { step: Step; exact: unknown; last: boolean; children: ReactNode };

function StepLine({ step, exact: sent, last, children }: LineProps) {
  const Icon = ICONS[step.kind];
  const { tool, query, parts } = readDetail(step.detail, sent);
  return (
    <li className="relative flex gap-3 pb-4">
      {!last && <span aria-hidden className="absolute top-7 bottom-0 left-3.5 w-px bg-line" />}
      <span title={strings.step[step.kind]} className="grid size-7 shrink-0 place-items-center rounded-full border border-line bg-surface text-soft">
        <Icon aria-hidden className="size-3.5" />
        <span className="sr-only">{strings.step[step.kind]}</span>
      </span>
      <div className="flex min-w-0 flex-1 flex-col gap-1 pt-0.5">
        <div className="flex items-baseline gap-2">
          <p className="min-w-0 flex-1 text-sm font-medium [overflow-wrap:anywhere]">
            <Sentence text={step.summary} /> {children}
          </p>
          <span title={exact(step.created_at)} className="text-xs whitespace-nowrap text-faint">
            {strings.time.millis(step.millis)}
          </span>
        </div>
        {step.reason && (
          <p className="text-sm [overflow-wrap:anywhere] text-soft">
            <Sentence text={step.reason} />
          </p>
        )}
        {parts.length > 0 || tool || query ? (
          <details className="group/step">
            <summary className="inline-flex max-w-full items-center gap-1 rounded-md text-xs text-soft hover:text-ink">
              <ChevronRight aria-hidden className="size-3.5 shrink-0 transition-transform group-open/step:rotate-90" />
              <span className={tool ? 'truncate font-mono' : ''}>{tool ?? s.detail}</span>
              <span className="sr-only">{s.showDetail}</span>
            </summary>
            <div className="mt-2 flex flex-col gap-3 rounded-lg border border-line bg-surface p-3">
              {query && (
                <div className="flex min-w-0 flex-col gap-1">
                  <Label>{s.query}</Label>
                  <p className="text-xs [overflow-wrap:anywhere]">{query}</p>
                </div>
              )}
              {parts.map(({ name, value }) => (
                <div key={name} className="flex min-w-0 flex-col gap-1">
                  <Label>{s[name]}</Label>
                  {name === 'decision' ? <GateDecision value={value} label={s[name]} /> : <Data value={value} label={s[name]} />}
                </div>
              ))}
              {parts.length === 0 && !query && <p className="text-xs text-soft">{strings.action.noArguments}</p>}
            </div>
          </details>
        ) : null}
      </div>
    </li>
  );
}
