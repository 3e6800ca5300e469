import type { Investigation } from '../../api/types';
import { strings } from '../../strings';
import { Badge, Dot } from '../../ui/badge';
import { Mark } from '../../ui/mark';
import { Meter } from '../../ui/meter';
import { Sentence } from '../../ui/sentence';
import { isAnswered, verdictTone } from '../inbox/look';

const s = strings.investigation;

export function VerdictCard({ investigation }: { investigation: Investigation }) {
  const { verdict, confidence, state, usage } = investigation;
  const running = state !== 'done';
  return (
    <div className="flex flex-col gap-3 rounded-xl border border-line bg-surface p-4">
      <div className="flex items-start gap-3">
        <Mark className="size-9" />
        <div className="min-w-0 flex-1">
          <h2 className="leading-snug font-semibold text-balance">{running || !verdict ? s.running : s.headline[verdict]}</h2>
          {running && (
            <p role="status" className="mt-1 flex items-center gap-2 text-sm text-soft">
              <Dot tone="accent" alive />
              {strings.stage[state]}…
            </p>
          )}
        </div>
      </div>
      {verdict && (
        <div className="flex items-center gap-3">
          <Badge tone={verdictTone[verdict]}>{strings.verdict[verdict]}</Badge>
          {confidence != null && isAnswered(verdict) && (
            <>
              <Meter value={confidence} label={s.confidence} className="min-w-0 flex-1" />
              <span className="text-sm font-medium whitespace-nowrap">{strings.inbox.confidence(confidence)}</span>
            </>
          )}
        </div>
      )}
      {investigation.escalation && (
        <div className="rounded-lg bg-sunken px-3 py-2 text-sm">
          <p className="font-medium">{s.why}</p>
          <p className="[overflow-wrap:anywhere] text-soft">
            <Sentence text={investigation.escalation} />
          </p>
        </div>
      )}
      <dl className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-soft">
        <Fact name={s.brain}>{s.brains[investigation.brain] ?? investigation.brain}</Fact>
        {investigation.playbook && <Fact name={s.playbook}>{investigation.playbook}</Fact>}
        <Fact>{s.usage(usage.searches, usage.tool_calls)}</Fact>
        {!running && <Fact>{s.took(strings.time.millis(usage.millis))}</Fact>}
        {usage.model_calls > 0 && <Fact>{strings.models.used(usage.model_calls, usage.input_tokens, usage.output_tokens)}</Fact>}
        {usage.micro_usd > 0 && <Fact>{s.cost(usage.micro_usd)}</Fact>}
      </dl>
    </div>
  );
}

function Fact({ name, children }: { name?: string; children: string }) {
  return (
    <div className="flex gap-1">
      <dt className={name ? 'text-faint' : 'sr-only'}>{name ?? s.detail}</dt>
      <dd>{children}</dd>
    </div>
  );
}
