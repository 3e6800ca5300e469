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

test('an action shows what would change, where values come from, and what its risk is made of', async () => {
  renderApp(`/approvals/${action.id}`);
  expect(await screen.findByText('refunded')).toBeTruthy();
  expect(screen.getByText('never done here before')).toBeTruthy();
  expect(screen.getByText('text that anybody could have written')).toBeTruthy();
});

test('changed arguments are a new decision, and the reader is taken to it', async () => {
  const { user, sent } = renderApp(`/approvals/${action.id}`);
  await user.click(await screen.findByRole('button', { name: 'Change the arguments' }));
  const box = screen.getByRole('textbox');
  await user.clear(box);
  await user.type(box, '[[1]');
  await user.click(screen.getByRole('button', { name: 'Put it up for decision' }));
  expect((await screen.findByRole('alert')).textContent).toBe('This is not a JSON object.');
  await user.clear(box);
  await user.type(box, '{{"amount": "12.00"}');
  await user.click(screen.getByRole('button', { name: 'Put it up for decision' }));
  expect(await screen.findByText('12.00')).toBeTruthy();
  expect(sent.find(({ path }) => path.endsWith('/edit'))?.body).toEqual({ decision_hash: action.decision_hash, arguments: { amount: '12.00' } });
});

test('the like is allowed in advance only after it was shown what it would cover', async () => {
  const { user, sent } = renderApp(`/approvals/${action.id}`);
  await user.click(await screen.findByRole('button', { name: 'Allow the like in advance' }));
  await user.click(screen.getByRole('button', { name: 'See what it would cover' }));
  await screen.findByText('It would have covered 1 action in the last 30 days:');
  const asked = () => sent.filter(({ path }) => path.endsWith('/patterns') && path.includes('/actions/')).map(({ body }) => body);
  expect(asked()).toEqual([{ calls: 10, hours: 24, only_consider: true }]);
  await user.click(screen.getByRole('button', { name: 'Allow it' }));
  await screen.findByText('Allowed in advance.');
  expect(asked()[1]).toEqual({ calls: 10, hours: 24, only_consider: false });
  await user.click(await screen.findByRole('button', { name: 'End' }));
  await waitFor(() => expect(sent.some(({ method }) => method === 'DELETE')).toBe(true));
});

test('a link from a message opens its action', async () => {
  renderApp('/link?workspace=demo#token=good');
  expect(await screen.findByRole('button', { name: 'Approve' })).toBeTruthy();
});

test('a link that was used says so', async () => {
  renderApp('/link#token=used');
  expect((await screen.findByRole('alert')).textContent).toContain('This link was used already.');
});
