/** What a step has to show, sorted into the parts that a reader looks for; what is unknown stays as it is. */
import { isRecord } from '../../ui/json';

export type PartName = 'arguments' | 'decision' | 'result' | 'detail';
export type StepDetail = {
  tool: string | undefined;
  query: string | undefined;
  parts: { name: PartName; value: unknown }[];
};

type Fields = Record<string, unknown>;

const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
const isNothing = (value: unknown) =>
  value == null || value === '' || (Array.isArray(value) && value.length === 0) || (isRecord(value) && Object.keys(value).length === 0);

function toolName(value: unknown): string | undefined {
  if (!isRecord(value)) return text(value);
  const connector = text(value['connector']);
  const tool = text(value['tool']);
  return connector !== undefined && tool !== undefined ? `${connector} · ${tool}` : undefined;
}

/** The fields of a record without those that only tell its kind or hold nothing. */
function rest(fields: Fields, without: string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => !without.includes(name) && !isNothing(value)));
}

/** The answer itself, where the outcome wraps it. */
function answerOf(outcome: unknown): unknown {
  if (!isRecord(outcome)) return outcome;
  for (const name of ['value', 'hits', 'reason', 'message']) if (name in outcome) return outcome[name];
  return rest(outcome, ['outcome']);
}

/** `exact` are the arguments as they were sent, where evidence recorded them; a step keeps them as references. */
export function readDetail(detail: unknown, exact?: unknown): StepDetail {
  if (!isRecord(detail)) return { tool: undefined, query: undefined, parts: partsOf([['detail', detail]]) };
  const want = isRecord(detail['want']) ? detail['want'] : undefined;
  switch (detail['record']) {
    case 'turn':
      return {
        tool: toolName(want?.['tool']),
        query: text(want?.['query']),
        parts: partsOf([
          ['arguments', exact ?? want?.['arguments']],
          ['decision', detail['decision']],
          ['result', answerOf(detail['outcome'])],
        ]),
      };
    case 'action':
      return { tool: undefined, query: undefined, parts: partsOf([['decision', detail['decision']], ['result', detail['result']]]) };
    case 'plan': {
      const plan = isRecord(detail['plan']) ? rest(detail['plan'], ['summary', 'reason']) : detail['plan'];
      return { tool: undefined, query: undefined, parts: partsOf([['detail', plan]]) };
    }
    case 'end':
      // Everything that a conclusion holds stands elsewhere on the screen: reply, citations, actions.
      return { tool: undefined, query: undefined, parts: [] };
    default:
      return { tool: undefined, query: undefined, parts: partsOf([['detail', detail]]) };
  }
}

function partsOf(pairs: [PartName, unknown][]): StepDetail['parts'] {
  return pairs.filter(([, value]) => !isNothing(value)).map(([name, value]) => ({ name, value }));
}
