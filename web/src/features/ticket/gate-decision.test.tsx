import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { GateDecision, readDecision } from './gate-decision';

const risk = { score: 60, parts: [{ name: 'the tool itself', points: 45 }, { name: 'money moves', points: 15 }] };

test('a decision says its word, why, and what its risk adds up from', () => {
  render(<GateDecision label="Gate" value={{ decision: 'needs_approval', reasons: [{ code: 'money', message: 'money moves' }], risk }} />);
  expect(screen.getByText('Needs a person')).toBeTruthy();
  expect(screen.getByText('money moves')).toBeTruthy();
  expect(screen.getByText('the tool itself +45 · money moves +15')).toBeTruthy();
});

test('a denial has one reason, and what is no decision is shown as it is', () => {
  expect(readDecision({ decision: 'deny', reason: { code: 'x', message: 'the operator forbids it' } })).toEqual({ word: 'deny', reasons: ['the operator forbids it'], risk: undefined });
  expect(readDecision({ decision: 'constructor' })).toBeUndefined();
  expect(readDecision('allow')).toBeUndefined();
  render(<GateDecision label="Gate" value="allow" />);
  expect(screen.getByText('allow')).toBeTruthy();
});
