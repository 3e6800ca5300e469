import { expect, test } from 'vitest';
import { cedarOf, newCondition, newRule, ruleOf, type Argument, type Condition, type Rule } from './rule';

const ARGS: Argument[] = [
  { name: 'namespace', kind: 'string', required: true, values: [] },
  { name: 'count', kind: 'integer', required: false, values: [] },
  { name: 'odd name', kind: 'string', required: true, values: [] },
];
const condition = (subject: string, comparison: Condition['comparison'], value: string): Condition => ({ ...newCondition(subject), comparison, value });
const rule = (part: Partial<Rule>): Rule => ({ ...newRule(), name: 'mine', ...part });

test('restart in staging, never in production', () => {
  const only = rule({ effect: 'only', target: 'tool', targetId: 'k8s__restart_pod', conditions: [condition('argument:namespace', 'is', 'staging')], why: 'Production is for people on call.' });
  expect(cedarOf(only, ARGS)).toBe(
    '@id("mine")\n@why("Production is for people on call.")\nforbid(principal, action == Action::"k8s__restart_pod", resource)\nunless {\n  context.arguments.namespace == "staging"\n};\n',
  );
});

test('an enterprise customer’s billing is always for a person', () => {
  const ask = rule({ effect: 'ask', target: 'write', conditions: [condition('fact', 'includes', 'plan=enterprise'), condition('category', 'is', 'billing')], why: 'Ours.' });
  expect(cedarOf(ask, [])).toContain('@escalate("Ours.")\nforbid(principal, action in Action::"write", resource)\nwhen {\n  context.facts.contains("plan=enterprise") &&\n  context.category == "billing"\n};');
});

test('what is typed cannot leave its quotes', () => {
  const sly = rule({ why: 'a") forbid(principal, action, resource); @why("b\\', conditions: [condition('category', 'like', '"*\\"\n')] });
  const text = cedarOf(sly, ARGS) ?? '';
  expect(text).toContain('@why("a\\") forbid(principal, action, resource); @why(\\"b\\\\")');
  expect(text).toContain('context.category like "\\"\\*\\\\\\"*"');
  expect(text.match(/^forbid/gm)).toHaveLength(1);
});

test('an argument that may be missing is asked for first, and a rule that is not whole is none', () => {
  const tool = { target: 'tool', targetId: 'k8s__scale' } as const;
  expect(cedarOf(rule({ ...tool, conditions: [condition('argument:count', 'at_least', '3')] }), ARGS)).toContain('context.arguments has count && context.arguments.count >= 3');
  expect(cedarOf(rule({ ...tool, conditions: [condition('argument:odd name', 'is', 'x')] }), ARGS)).toContain('context.arguments["odd name"] == "x"');
  for (const part of [
    { ...tool, conditions: [condition('argument:count', 'is', 'three')] },
    { ...tool, conditions: [condition('argument:gone', 'is', '3')] },
    { target: 'tool', targetId: '' },
    { effect: 'only' },
    { conditions: [condition('hour', 'outside', 'late')] },
    { conditions: [condition('category', 'is', ' ')] },
    { name: '' },
  ] as Partial<Rule>[]) {
    expect(cedarOf(rule(part), ARGS)).toBeNull();
  }
});

const dot = (attr: string, left: unknown = { Var: 'context' }) => ({ '.': { left, attr } });
const value = (of: unknown) => ({ Value: of });
const scope = { op: 'All' };
const parsed = (body: unknown, kind = 'when', more: object = {}) => ({
  effect: 'forbid',
  principal: scope,
  action: { op: '==', entity: { type: 'Action', id: 'k8s__restart_pod' } },
  resource: scope,
  conditions: [{ kind, body }],
  annotations: { id: 'mine', why: 'Because.' },
  ...more,
});

test('a rule is read back into the form', () => {
  const guard = { has: { left: dot('arguments'), attr: 'count' } };
  const count = { '>=': { left: dot('count', dot('arguments')), right: value(3) } };
  const verified = { '!': { arg: dot('verified') } };
  const read = ruleOf('mine', parsed({ '&&': { left: { '&&': { left: guard, right: count } }, right: verified } }, 'unless'));
  expect(read).toMatchObject({
    name: 'mine',
    effect: 'only',
    target: 'tool',
    targetId: 'k8s__restart_pod',
    why: 'Because.',
    conditions: [
      { subject: 'argument:count', comparison: 'at_least', value: '3' },
      { subject: 'verified', comparison: 'is', value: 'false' },
    ],
  });
});

test('a rule that says more than the form can is not read into it', () => {
  const fine = { '==': { left: dot('category'), right: value('billing') } };
  expect(ruleOf('mine', parsed(fine))).not.toBeNull();
  for (const other of [
    parsed({ 'if-then-else': {} }),
    parsed({ '||': { left: fine, right: fine } }),
    parsed(fine, 'when', { effect: 'permit' }),
    parsed(fine, 'when', { principal: { op: '==', entity: { id: 'a' } } }),
    parsed(fine, 'when', { annotations: { id: 'mine', custom: 'x' } }),
    parsed(fine, 'unless', { annotations: { escalate: 'x' } }),
    { ...parsed(fine), conditions: [{ kind: 'when', body: fine }, { kind: 'when', body: fine }] },
    parsed({ '==': { left: dot('autonomy'), right: value('act') } }),
    null,
    'forbid',
  ]) {
    expect(ruleOf('mine', other)).toBeNull();
  }
});
