import { screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { renderApp } from '../../../dev/render-app';

test('a scope is chosen, and what was taken back says why', async () => {
  const { user, sent } = renderApp('/connectors');
  expect(await screen.findByText(/nobody uses it any more/)).toBeTruthy();
  const [first] = screen.getAllByRole('combobox', { name: 'What it may be used for' });
  if (!first) throw new Error('no choice of a scope');
  await user.selectOptions(first, 'read_only');
  await waitFor(() => expect(sent.find(({ path }) => path.endsWith('/scope'))?.body).toEqual({ scope: 'read_only' }));
});

test('taking back asks why, and does it', async () => {
  const { user, sent } = renderApp('/connectors');
  const [first] = await screen.findAllByRole('button', { name: 'Take back' });
  if (!first) throw new Error('nothing to take back');
  await user.click(first);
  await user.type(screen.getByRole('textbox'), 'contract ended');
  await user.click(screen.getByRole('button', { name: 'Take it back now' }));
  expect(await screen.findByText(/contract ended/)).toBeTruthy();
  expect(sent.find(({ path }) => path.endsWith('/revoke'))?.body).toEqual({ reason: 'contract ended' });
});

test('who granted what is read when somebody looks', async () => {
  const { user, sent } = renderApp('/connectors');
  const [first] = await screen.findAllByText('Who granted what');
  if (!first) throw new Error('no log');
  expect(sent.some(({ path }) => path.endsWith('/consents'))).toBe(false);
  await user.click(first);
  expect(await screen.findByText(/command line/)).toBeTruthy();
});
