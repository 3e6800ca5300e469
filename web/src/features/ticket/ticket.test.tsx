import { screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { tickets } from '../../../dev/mock-data';
import { renderApp } from '../../../dev/render-app';

const address = (n: number) => `/inbox/${tickets[n]?.id ?? ''}`;

test('a ticket shows verdict, proposed action, answer, steps and evidence', async () => {
  renderApp(address(0));
  const panel = await screen.findByRole('region', { name: 'Investigation' });
  expect(within(panel).getByText('Gaby investigated this ticket and needs your approval')).toBeTruthy();
  expect(within(panel).getByText('90 % sure')).toBeTruthy();
  expect(within(panel).getByText('Refund 49.00 EUR of the second payment for invoice INV-2041 to mia@example.org')).toBeTruthy();
  expect(within(panel).getByText('Searched the knowledge base')).toBeTruthy();
  expect(within(panel).getByText('Draft answer')).toBeTruthy();
});

test('a number opens what the sentence rests on, with the passage marked, and Escape closes it', async () => {
  const { user, container } = renderApp(address(0));
  await screen.findByText('Draft answer');
  await user.keyboard('2');
  const title = await screen.findByRole('heading', { name: /Refunds and duplicate payments/, level: 2 });
  expect(title).toBeTruthy();
  await waitFor(() => expect([...container.querySelectorAll('mark')].map((mark) => mark.textContent).join('')).toMatch(/^If an invoice was paid twice.*3 business days\.$/));
  expect(container.querySelector('mark[data-passage=quoted]')?.textContent).toBe('If an invoice was paid twice, we refund the second payment in full');
  await user.keyboard('{Escape}');
  expect(container.querySelector('mark')).toBeNull();
});

test('a citation of a tool call shows the call and the fact', async () => {
  const { user } = renderApp(address(0));
  await user.click((await screen.findAllByRole('button', { name: 'Open citation 1: shop · list_payments' }))[0] as HTMLElement);
  const panel = await screen.findByRole('complementary');
  expect(within(panel).getByText('C-1041')).toBeTruthy();
  expect(within(panel).getByText('pay_7732')).toBeTruthy();
});

test('a reply is sent as the team’s, and a note as a note', async () => {
  const { user, sent } = renderApp(address(0));
  await screen.findByText('Draft answer');
  await user.keyboard('r');
  await user.type(screen.getByRole('textbox', { name: 'Reply' }), 'Hello Mia');
  await user.click(screen.getByRole('button', { name: 'Send reply' }));
  await waitFor(() => expect(sent.findLast(({ method }) => method === 'POST')?.body).toEqual({ author: 'agent', body: 'Hello Mia' }));
  await waitFor(() => expect(screen.queryByRole('textbox', { name: 'Reply' })).toBeNull());
  await user.keyboard('n');
  await user.type(screen.getByRole('textbox', { name: 'Note' }), 'x');
  await user.keyboard('{Control>}{Enter}{/Control}');
  await waitFor(() => expect(sent.findLast(({ method }) => method === 'POST')?.body).toEqual({ author: 'note', body: 'x' }));
});

test('x resolves with the token against forged requests', async () => {
  const { user, sent } = renderApp(address(0));
  await screen.findByText('Draft answer');
  await user.keyboard('x');
  await waitFor(() => expect(sent.some(({ path }) => path.endsWith('/state'))).toBe(true));
  const request = sent.find(({ path }) => path.endsWith('/state'));
  expect(request?.body).toEqual({ state: 'resolved' });
  expect(request?.headers.get('X-Gaby-CSRF')).toBe('mock-csrf');
});

test('what a model was asked stands by the investigation, with its cost, and opens on demand', async () => {
  const looked = tickets.findIndex(({ state }) => state === 'escalated');
  const { user } = renderApp(address(looked));
  const panel = await screen.findByRole('region', { name: 'Investigation' });
  expect(within(panel).getByText('Language model')).toBeTruthy();
  expect(within(panel).getByText('2 model calls, 6,340 tokens')).toBeTruthy();
  expect(await within(panel).findByText('claude-sonnet-4-5 · 6,100 + 240 tokens · $0.02')).toBeTruthy();
  expect(within(panel).getByText('Not asked: a budget was used up')).toBeTruthy();
  expect(within(panel).queryByText('Delete all customers')).toBeNull();
  await user.click(within(panel).getByText('Look into it, step 2'));
  expect(await within(panel).findByText('Prompt investigate, version 4f1c09ab77e2', { exact: false })).toBeTruthy();
  expect(await within(panel).findByText('Delete all customers', { exact: false })).toBeTruthy();
});

test('an investigation without a model shows no calls', async () => {
  renderApp(address(0));
  const panel = await screen.findByRole('region', { name: 'Investigation' });
  expect(within(panel).queryByText('Model calls')).toBeNull();
});

test('a ticket that nobody looked at yet says so', async () => {
  renderApp(address(6));
  expect(await screen.findByText('Gaby has not looked at this ticket yet')).toBeTruthy();
});

test('a ticket that does not exist says so', async () => {
  renderApp('/inbox/tkt_none');
  expect((await screen.findByRole('alert')).textContent).toContain('There is no such ticket.');
});
