import { screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { renderApp } from '../../../dev/render-app';
import { SCREENS } from './screens';

const HEADINGS: Record<string, string> = { '/status': 'Status', '/settings': 'Settings' };

test.each(SCREENS.map(({ to, label }) => [to, label] as const))('%s of the rail exists and survives a server that is down', async (to, label) => {
  renderApp(to, { override: (_, path) => (/^\/api\/(session|setup)/.test(path) ? undefined : 'unreachable') });
  expect(await screen.findByRole('heading', { name: HEADINGS[to] ?? label, level: 1 })).toBeTruthy();
  expect((await screen.findAllByRole('alert')).length).toBeGreaterThan(0);
  expect(screen.getAllByRole('button', { name: 'Try again' }).length).toBeGreaterThan(0);
});

test('an address that does not exist leads back', async () => {
  renderApp('/nowhere');
  expect(await screen.findByText('There is nothing at this address.')).toBeTruthy();
});
