import { screen, waitFor } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import { renderApp } from '../../../dev/render-app';
import { tokenFrom } from './setup-screen';

test('who is not signed in is asked to, and then comes to where they wanted', async () => {
  const { user } = renderApp('/audit', { signedIn: false });
  await user.type(await screen.findByLabelText('E-mail'), 'ana@example.com');
  await user.type(screen.getByLabelText('Password'), 'wrong');
  await user.click(screen.getByRole('button', { name: 'Sign in' }));
  expect((await screen.findByRole('alert')).textContent).toBe('Wrong address or password.');
  await user.clear(screen.getByLabelText('Password'));
  await user.type(screen.getByLabelText('Password'), 'correct horse battery');
  await user.click(screen.getByRole('button', { name: 'Sign in' }));
  expect(await screen.findByRole('heading', { name: 'Audit' })).toBeTruthy();
});

test('a session that ends while somebody works leads to the sign-in', async () => {
  let ended = false;
  const signedOut = { status: 401, json: { error: { code: 'unauthenticated', message: 'Sign in first.' } } };
  const { user } = renderApp('/inbox', { override: (_, path) => (ended && path !== '/api/setup' ? signedOut : undefined) });
  await screen.findByText('Where do I find my invoices?');
  ended = true;
  await user.click(screen.getByRole('button', { name: /Escalated/ }));
  await waitFor(() => expect(screen.getByLabelText('Password')).toBeTruthy());
});

afterEach(() => {
  window.location.hash = '';
});

test('the link of the first start makes the administrator, and leaves the address', async () => {
  window.location.hash = '#token=once';
  const { user, sent } = renderApp('/setup', { signedIn: false, setup: { needed: true, demo: false } });
  await user.type(await screen.findByLabelText('Your name'), 'Ana');
  await user.type(screen.getByLabelText('E-mail'), 'ana@example.com');
  await user.type(screen.getByLabelText(/Password/), 'short');
  await user.click(screen.getByRole('button', { name: 'Create account' }));
  expect(screen.getByRole('alert').textContent).toBe('The password needs at least 12 characters.');
  expect(window.location.hash).toBe('');
  await user.type(screen.getByLabelText(/Password/), ' no longer');
  await user.click(screen.getByRole('button', { name: 'Create account' }));
  expect(await screen.findByRole('heading', { name: 'Inbox' })).toBeTruthy();
  const form = { token: 'once', name: 'Ana', email: 'ana@example.com', password: 'short no longer' };
  expect(sent.find(({ method }) => method === 'POST')?.body).toEqual(form);
});

test('the link of a demo signs in by itself, and is used once', async () => {
  window.location.hash = '#token=once';
  const { sent } = renderApp('/setup', { signedIn: false, setup: { needed: true, demo: true } });
  expect(await screen.findByRole('heading', { name: 'Inbox' })).toBeTruthy();
  expect(sent.filter(({ method }) => method === 'POST').map(({ body }) => body)).toEqual([{ token: 'once' }]);
});

test('a link that was used says so', async () => {
  window.location.hash = '#token=once';
  const refused = { status: 401, json: { error: { code: 'unauthenticated', message: 'this link is wrong, used or too old' } } };
  renderApp('/setup', { signedIn: false, setup: { needed: true, demo: true }, override: (method) => (method === 'POST' ? refused : undefined) });
  expect((await screen.findByRole('alert')).textContent).toBe('this link is wrong, used or too old');
});

test('the token of the setup link is read from behind the #', () => {
  expect(tokenFrom('#token=abc-123')).toBe('abc-123');
  expect(tokenFrom('')).toBe('');
});
