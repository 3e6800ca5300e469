/** What the gate decided about a call: its word, why, and what the risk adds up from. */
import { strings } from '../../strings';
import { Badge, type Tone } from '../../ui/badge';
import { Data, isRecord } from '../../ui/json';
import { Sentence } from '../../ui/sentence';
import { riskTone } from '../approvals/look';

const s = strings.gate;

const WORDS = {
  allow: { words: s.allow, tone: 'ok' },
  dry_run: { words: s.dryRun, tone: 'info' },
  needs_approval: { words: s.needsApproval, tone: 'warn' },
  deny: { words: s.deny, tone: 'bad' },
} satisfies Record<string, { words: string; tone: Tone }>;

type Risk = { score: number; parts: { name: string; points: number }[] };
export type Decided = { word: keyof typeof WORDS; reasons: string[]; risk: Risk | undefined };

function readRisk(value: unknown): Risk | undefined {
  if (!isRecord(value) || typeof value['score'] !== 'number') return undefined;
  const parts = Array.isArray(value['parts']) ? value['parts'] : [];
  return {
    score: value['score'],
    parts: parts.flatMap((part: unknown) =>
      isRecord(part) && typeof part['name'] === 'string' && typeof part['points'] === 'number' ? [{ name: part['name'], points: part['points'] }] : [],
    ),
  };
}

/** Nothing where it is no decision as this console knows it; it is then shown as it is. */
export function readDecision(value: unknown): Decided | undefined {
  if (!isRecord(value)) return undefined;
  const word = Object.keys(WORDS).find((known) => known === value['decision']) as Decided['word'] | undefined;
  if (!word) return undefined;
  const reasons = [value['reason'], ...(Array.isArray(value['reasons']) ? (value['reasons'] as unknown[]) : [])];
  return {
    word,
    reasons: reasons.flatMap((reason) => (isRecord(reason) && typeof reason['message'] === 'string' ? [reason['message']] : [])),
    risk: readRisk(value['risk']),
  };
}

export function GateDecision({ value, label }: { value: unknown; label: string }) {
  const decided = readDecision(value);
  if (!decided) return <Data value={value} label={label} />;
  const { risk, reasons } = decided;
  const { words, tone } = WORDS[decided.word];
  return (
    <div className="flex flex-col gap-1.5 text-xs">
      <div className="flex flex-wrap items-center gap-1.5">
        <Badge tone={tone}>{words}</Badge>
        {risk && <Badge tone={riskTone(risk.score)}>{strings.action.riskOf(risk.score)}</Badge>}
      </div>
      {reasons.map((reason) => (
        <p key={reason} className="[overflow-wrap:anywhere] first-letter:uppercase">
          <Sentence text={reason} />
        </p>
      ))}
      {risk && risk.parts.length > 0 && (
        <p className="text-soft">
          {risk.parts.map(({ name, points }) => `${name} +${points}`).join(' · ')}
        </p>
      )}
    </div>
  );
}
