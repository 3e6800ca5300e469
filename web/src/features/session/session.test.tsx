import { screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
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

test('the token of the setup link is read from behind the #', () => {
  expect(tokenFrom('#token=abc-123')).toBe('abc-123');
  expect(tokenFrom('')).toBe('');
});
