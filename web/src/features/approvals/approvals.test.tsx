import { screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { action, action2, session } from '../../../dev/mock-data';
import { renderApp } from '../../../dev/render-app';

test('y approves exactly what is shown, and the outcome appears', async () => {
  const { user, sent } = renderApp(`/approvals/${action.id}`);
  await screen.findByRole('button', { name: 'Approve' });
  await user.keyboard('y');
  expect(await screen.findByText('rows_changed')).toBeTruthy();
  expect(sent.find(({ path }) => path.endsWith('/approve'))?.body).toEqual({ decision_hash: action.decision_hash });
});

test('n asks for a reason and rejects with it', async () => {
  const { user, sent } = renderApp(`/approvals/${action.id}`);
  await screen.findByRole('button', { name: 'Approve' });
  await user.keyboard('n');
  await user.type(screen.getByRole('textbox'), 'already refunded');
  await user.click(screen.getByRole('button', { name: 'Reject this action' }));
  await waitFor(() => expect(sent.find(({ path }) => path.endsWith('/reject'))?.body).toEqual({ reason: 'already refunded' }));
  expect(await screen.findByText('already refunded')).toBeTruthy();
});

test('hidden characters in arguments are shown with a warning', async () => {
  renderApp(`/approvals/${action2.id}`);
  expect(await screen.findByText('asked by\\u{202e} elcric')).toBeTruthy();
  expect(screen.getByText('Look closely')).toBeTruthy();
});

test('a refusal says why', async () => {
  const changed = { status: 409, json: { error: { code: 'conflict', message: 'The record changed since you looked; look again.' } } };
  const { user } = renderApp(`/approvals/${action.id}`, { override: (_, path) => (path.endsWith('/approve') ? changed : undefined) });
  await user.click(await screen.findByRole('button', { name: 'Approve' }));
  expect((await screen.findByRole('alert')).textContent).toBe('The record changed since you looked; look again.');
});

test('who may only read cannot decide, not even by key', async () => {
  const viewer = { ...session, user: { ...session.user, role: 'viewer' } };
  const { user, sent } = renderApp(`/approvals/${action.id}`, { override: (method, path) => (method === 'GET' && path === '/api/session' ? { status: 200, json: viewer } : undefined) });
  await screen.findByText('Your role can look, but not decide.');
  await user.keyboard('y');
  expect(screen.queryByRole('button', { name: 'Approve' })).toBeNull();
  expect(sent.some(({ method }) => method === 'POST')).toBe(false);
});
