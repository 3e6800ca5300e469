/** What language models were asked for an investigation, and what each call cost; what was said is there on demand. */
import { useQuery } from '@tanstack/react-query';
import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import type { LlmCall, LlmCallView } from '../../api/types';
import { strings } from '../../strings';
import { Data } from '../../ui/json';
import { Label } from '../../ui/screen';
import { Failure, Skeleton } from '../../ui/states';
import { modelCallQuery, modelCallsQuery } from './queries';

const s = strings.models;

export function ModelCalls({ investigation }: { investigation: string }) {
  const calls = useQuery(modelCallsQuery(investigation));
  if (calls.error) return <Failure what={s.failed} error={calls.error} retry={() => void calls.refetch()} />;
  if (!calls.data) return <Skeleton lines={2} className="p-0" />;
  if (calls.data.items.length === 0) return <p className="text-sm text-soft">{s.none}</p>;
  return (
    <ol className="flex flex-col gap-2">
      {calls.data.items.map((call) => (
        <Call key={call.id} call={call} />
      ))}
    </ol>
  );
}

function Call({ call }: { call: LlmCall }) {
  const [open, setOpen] = useState(false);
  return (
    <li className="rounded-xl border border-line bg-surface px-3.5 py-2.5">
      <details className="group/call" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="flex items-start gap-1.5 rounded-md text-sm">
          <ChevronRight aria-hidden className="mt-0.5 size-4 shrink-0 text-faint transition-transform group-open/call:rotate-90" />
          <span className="flex min-w-0 flex-1 flex-col">
            <span className="flex items-baseline gap-2">
              <span className="min-w-0 flex-1 truncate font-medium">{s.purpose(call.purpose, call.step)}</span>
              <span className="text-xs whitespace-nowrap text-faint">{strings.time.millis(call.millis)}</span>
            </span>
            <span className="text-xs [overflow-wrap:anywhere] text-soft">
              {call.model} · {s.tokens(call.input_tokens, call.output_tokens)} · {strings.investigation.cost(call.micro_usd)}
            </span>
            {call.outcome !== 'answered' && <span className="text-xs text-warn">{s.outcome[call.outcome]}</span>}
          </span>
        </summary>
        {open && <Said id={call.id} />}
      </details>
    </li>
  );
}

/** What went to the model and what came back, as it is on record. */
function Said({ id }: { id: string }) {
  const call = useQuery(modelCallQuery(id));
  if (call.error) return <Failure what={s.saidFailed} error={call.error} retry={() => void call.refetch()} />;
  if (!call.data) return <Skeleton lines={3} className="mt-2 p-0" />;
  return <Talk call={call.data} />;
}

function Talk({ call }: { call: LlmCallView }) {
  const parts: [string, unknown][] = [
    [s.asked, call.request],
    [s.answered, call.answer],
    [s.tries, call.tries],
  ];
  return (
    <div className="mt-2 flex flex-col gap-3 border-t border-line pt-3">
      <p className="text-xs [overflow-wrap:anywhere] text-soft">
        {s.prompt(call.prompt, call.prompt_version)}
        <br />
        <span className="font-mono">{call.id}</span>
      </p>
      {call.error && <p className="text-sm [overflow-wrap:anywhere] text-warn">{call.error}</p>}
      {parts
        .filter(([, value]) => value !== null && value !== undefined)
        .map(([name, value]) => (
          <div key={name} className="flex min-w-0 flex-col gap-1">
            <Label>{name}</Label>
            <Data value={value} label={name} />
          </div>
        ))}
    </div>
  );
}
