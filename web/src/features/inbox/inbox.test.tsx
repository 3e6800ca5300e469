import { screen, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { renderApp } from '../../../dev/render-app';

test('the inbox lists every conversation with its state, and filters by state', async () => {
  const { user, sent } = renderApp('/inbox');
  const list = await screen.findByRole('region', { name: 'Inbox' });
  expect(await within(list).findAllByRole('link')).toHaveLength(7);
  await user.click(within(list).getByRole('button', { name: /Needs approval/ }));
  expect((await within(list).findAllByRole('link')).length).toBeLessThan(7);
  expect(sent.some(({ path }) => path.includes('state=waiting_for_approval'))).toBe(true);
});

test('a search that finds nothing offers the way back', async () => {
  const { user } = renderApp('/inbox?q=zebra');
  await screen.findByText('No ticket matches');
  await user.click(screen.getByRole('button', { name: 'Show all tickets' }));
  expect(await screen.findByText('Where do I find my invoices?')).toBeTruthy();
});

test('a list that cannot be loaded says why, and loads when asked again', async () => {
  let broken = true;
  const { user } = renderApp('/inbox', { override: (_, path) => (broken && path.startsWith('/api/tickets') ? 'unreachable' : undefined) });
  expect((await screen.findByRole('alert')).textContent).toContain('The server cannot be reached');
  broken = false;
  await user.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('Where do I find my invoices?')).toBeTruthy();
});

test('j and k move through the list, and Enter opens', async () => {
  const { user } = renderApp('/inbox');
  await screen.findByText('Where do I find my invoices?');
  await user.keyboard('jjk');
  expect(document.activeElement?.textContent).toContain('Charged twice');
  await user.keyboard('{Enter}');
  expect(await screen.findByRole('heading', { name: 'Charged twice for invoice INV-2041', level: 1 })).toBeTruthy();
});

test('the palette goes to screens and tickets, and ? shows the keys', async () => {
  const { user } = renderApp('/inbox');
  await screen.findByText('Where do I find my invoices?');
  await user.keyboard('{Control>}k{/Control}');
  await user.type(screen.getByRole('combobox', { name: 'Go anywhere' }), 'play');
  await user.keyboard('{Enter}');
  expect(await screen.findByRole('heading', { name: 'Playbooks' })).toBeTruthy();
  await user.keyboard('?');
  expect(screen.getByRole('heading', { name: 'Keyboard shortcuts' })).toBeTruthy();
});
