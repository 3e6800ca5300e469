/** A rule as fields of a form, written as Cedar and read back from it. What the form cannot say is not
 * read: such a rule is edited as text. */
import { isRecord } from '../../ui/json';

export type Effect = 'forbid' | 'only' | 'ask';
export type TargetKind = 'write' | 'read' | 'answer' | 'connector' | 'role' | 'tool';
export type Subject = 'environment' | 'category' | 'source' | 'playbook' | 'fact' | 'verified' | 'risk' | 'records' | 'hour';
export type Comparison = 'is' | 'is_not' | 'at_least' | 'at_most' | 'like' | 'includes' | 'outside';

export type Condition = {
  id: number;
  /** An argument's name after `argument:`, or one of the subjects. */
  subject: string;
  comparison: Comparison;
  value: string;
};

export type Rule = {
  name: string;
  effect: Effect;
  target: TargetKind;
  targetId: string;
  conditions: Condition[];
  why: string;
};

export type Argument = { name: string; kind: string; required: boolean; values: string[] };

export const SUBJECTS: Subject[] = ['environment', 'category', 'source', 'playbook', 'fact', 'verified', 'risk', 'records', 'hour'];
const TEXTS: string[] = ['environment', 'category', 'source', 'playbook'];
const NUMBERS: string[] = ['risk', 'records'];
const OPERATORS: Partial<Record<Comparison, string>> = { is: '==', is_not: '!=', at_least: '>=', at_most: '<=' };

let last = 0;
export const newCondition = (subject: string): Condition => ({ id: ++last, subject, comparison: comparisonsOf(subject, undefined)[0] ?? 'is', value: subject === 'verified' ? 'false' : '' });
export const newRule = (): Rule => ({ name: '', effect: 'forbid', target: 'write', targetId: '', conditions: [], why: '' });

export const argumentName = (subject: string): string | null => (subject.startsWith('argument:') ? subject.slice('argument:'.length) : null);

/** How a subject can be compared. */
export function comparisonsOf(subject: string, argument: Argument | undefined): Comparison[] {
  if (subject === 'fact') return ['includes'];
  if (subject === 'verified') return ['is'];
  if (subject === 'hour') return ['outside'];
  if (NUMBERS.includes(subject)) return ['at_least', 'at_most', 'is'];
  if (argument?.kind === 'integer') return ['is', 'is_not', 'at_least', 'at_most'];
  if (argument?.kind === 'boolean') return ['is'];
  return ['is', 'is_not', 'like'];
}

/** The rule as Cedar; null while something is missing. */
export function cedarOf(rule: Rule, args: Argument[]): string | null {
  const action = actionOf(rule);
  const conditions = rule.conditions.map((condition) => conditionOf(condition, args));
  if (!action || !rule.name || conditions.includes(null)) return null;
  if (rule.effect === 'only' && conditions.length === 0) return null;
  const why = rule.why.trim();
  const annotations = [`@id(${quoted(rule.name)})`];
  if (rule.effect === 'ask') annotations.push(`@escalate(${quoted(why)})`);
  else if (why) annotations.push(`@why(${quoted(why)})`);
  const body = conditions.join(' &&\n  ');
  const head = `forbid(principal, action ${action}, resource)`;
  const clause = conditions.length === 0 ? '' : `\n${rule.effect === 'only' ? 'unless' : 'when'} {\n  ${body}\n}`;
  return `${annotations.join('\n')}\n${head}${clause};\n`;
}

function actionOf({ target, targetId }: Rule): string | null {
  const id = targetId.trim();
  if (target === 'tool') return id ? `== Action::${quoted(id)}` : null;
  if (target === 'answer') return '== Action::"answer"';
  if (target === 'connector' || target === 'role') return id ? `in Action::${quoted(`${target}:${id}`)}` : null;
  return `in Action::"${target}"`;
}

function conditionOf({ subject, comparison, value }: Condition, args: Argument[]): string | null {
  const given = value.trim();
  if (given === '') return null;
  if (subject === 'verified') return given === 'true' ? 'context.verified' : '!context.verified';
  if (subject === 'fact') return `context.facts.contains(${quoted(given)})`;
  if (subject === 'hour') {
    const [, from, to] = /^(\d{1,2})\s*-\s*(\d{1,2})$/.exec(given) ?? [];
    return from === undefined || to === undefined ? null : `(context.hour < ${Number(from)} || context.hour >= ${Number(to)})`;
  }
  const name = argumentName(subject);
  if (name === null) return compared(`context.${subject}`, comparison, given, NUMBERS.includes(subject) ? 'integer' : 'string');
  const argument = args.find((one) => one.name === name);
  if (!argument) return null;
  const test = compared(`context.arguments${access(name)}`, comparison, given, argument.kind);
  return argument.required || test === null ? test : `context.arguments has ${attribute(name)} && ${test}`;
}

function compared(subject: string, comparison: Comparison, value: string, kind: string): string | null {
  if (comparison === 'like') return `${subject} like ${quoted(value.replaceAll('*', '\\*'), true).replace(/"$/, '*"')}`;
  const operator = OPERATORS[comparison];
  if (operator === undefined) return null;
  if (kind === 'integer') return /^-?\d{1,15}$/.test(value) ? `${subject} ${operator} ${value}` : null;
  if (kind === 'boolean') return value === 'true' || value === 'false' ? `${subject} ${operator} ${value}` : null;
  return `${subject} ${operator} ${quoted(value)}`;
}

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/;
const access = (name: string) => (PLAIN.test(name) ? `.${name}` : `[${quoted(name)}]`);
const attribute = (name: string) => (PLAIN.test(name) ? name : quoted(name));

/** A text in Cedar's quotes, without what cannot be seen. */
function quoted(text: string, escaped = false): string {
  // eslint-disable-next-line no-control-regex
  const visible = text.replace(/[\u0000-\u001f\u007f]/g, ' ');
  const safe = escaped ? visible.replace(/\\(?!\*)/g, '\\\\') : visible.replaceAll('\\', '\\\\');
  return `"${safe.replaceAll('"', '\\"')}"`;
}

/** The form of a rule, from Cedar's JSON; null when the form cannot say all of it. */
export function ruleOf(name: string, parsed: unknown): Rule | null {
  if (!isRecord(parsed) || parsed.effect !== 'forbid') return null;
  if (!isAny(parsed.principal) || !isAny(parsed.resource)) return null;
  const annotations = isRecord(parsed.annotations) ? parsed.annotations : {};
  const known = ['id', 'why', 'escalate'];
  if (Object.keys(annotations).some((key) => !known.includes(key))) return null;
  const target = targetOf(parsed.action);
  const clauses = Array.isArray(parsed.conditions) ? (parsed.conditions as unknown[]) : [];
  if (!target || clauses.length > 1) return null;
  const clause = clauses[0];
  const conditions: Condition[] = [];
  let unless = false;
  if (isRecord(clause)) {
    unless = clause.kind === 'unless';
    for (const part of conjunction(clause.body)) {
      const read = conditionFrom(part);
      if (read === null) return null;
      if (read !== GUARD) conditions.push(read);
    }
  }
  const ask = typeof annotations.escalate === 'string';
  if (ask && unless) return null;
  const why = ask ? annotations.escalate : annotations.why;
  return { name, effect: ask ? 'ask' : unless ? 'only' : 'forbid', ...target, conditions, why: typeof why === 'string' ? why : '' };
}

const isAny = (scope: unknown) => isRecord(scope) && scope.op === 'All';

function targetOf(scope: unknown): Pick<Rule, 'target' | 'targetId'> | null {
  const id = isRecord(scope) && isRecord(scope.entity) ? scope.entity.id : null;
  if (!isRecord(scope) || typeof id !== 'string') return null;
  if (scope.op === '==') return id === 'answer' ? { target: 'answer', targetId: '' } : { target: 'tool', targetId: id };
  if (scope.op !== 'in') return null;
  if (id === 'read' || id === 'write') return { target: id, targetId: '' };
  for (const kind of ['connector', 'role'] as const) {
    if (id.startsWith(`${kind}:`)) return { target: kind, targetId: id.slice(kind.length + 1) };
  }
  return null;
}

/** An argument is asked for before it is used; that is no condition of its own. */
const GUARD = 'guard';

function conjunction(body: unknown): unknown[] {
  const both = isRecord(body) && isRecord(body['&&']) ? body['&&'] : null;
  return both ? [...conjunction(both.left), ...conjunction(both.right)] : [body];
}

function conditionFrom(body: unknown): Condition | typeof GUARD | null {
  if (!isRecord(body)) return null;
  const of = (subject: string, comparison: Comparison, value: string): Condition => ({ id: ++last, subject, comparison, value });
  if (isRecord(body.has) && subjectOf(body.has.left) === 'arguments') return GUARD;
  if (subjectOf(body) === 'verified') return of('verified', 'is', 'true');
  if (isRecord(body['!'])) return subjectOf(body['!'].arg) === 'verified' ? of('verified', 'is', 'false') : null;
  if (isRecord(body.contains)) {
    const fact = literal(body.contains.right);
    return subjectOf(body.contains.left) === 'facts' && fact !== null ? of('fact', 'includes', fact) : null;
  }
  if (isRecord(body['||'])) {
    const before = side(body['||'].left, '<');
    const after = side(body['||'].right, '>=');
    return before?.subject === 'hour' && after?.subject === 'hour' ? of('hour', 'outside', `${before.value}-${after.value}`) : null;
  }
  if (isRecord(body.like)) return likeFrom(body.like, of);
  for (const [operator, comparison] of [['==', 'is'], ['!=', 'is_not'], ['>=', 'at_least'], ['<=', 'at_most']] as const) {
    const found = side(body, operator);
    const named = found && (TEXTS.includes(found.subject) || NUMBERS.includes(found.subject) || argumentName(found.subject) !== null);
    if (found && named) return of(found.subject, comparison, found.value);
  }
  return null;
}

function likeFrom(like: Record<string, unknown>, of: (subject: string, comparison: Comparison, value: string) => Condition): Condition | null {
  const subject = subjectOf(like.left);
  const parts = Array.isArray(like.pattern) ? (like.pattern as unknown[]) : [];
  const text = parts.slice(0, -1).map((part) => (isRecord(part) && typeof part.Literal === 'string' ? part.Literal : null));
  if (subject === null || parts.at(-1) !== 'Wildcard' || text.includes(null)) return null;
  return of(subject, 'like', text.join(''));
}

function side(body: unknown, operator: string): { subject: string; value: string } | null {
  const both = isRecord(body) ? body[operator] : null;
  if (!isRecord(both)) return null;
  const subject = subjectOf(both.left);
  const value = literal(both.right);
  return subject === null || value === null ? null : { subject, value };
}

/** `context.risk` is `risk`, `context.arguments.pod` is `argument:pod`. */
function subjectOf(expression: unknown): string | null {
  const dot = isRecord(expression) && isRecord(expression['.']) ? expression['.'] : null;
  if (!dot || typeof dot.attr !== 'string') return null;
  if (isRecord(dot.left) && dot.left.Var === 'context') return dot.attr;
  return subjectOf(dot.left) === 'arguments' ? `argument:${dot.attr}` : null;
}

function literal(expression: unknown): string | null {
  const value = isRecord(expression) ? expression.Value : null;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

/** A name that a rule may have, from what somebody types. */
export const asName = (text: string): string => text.toLowerCase().replace(/[^a-z0-9-]+/g, '-').slice(0, 60);
