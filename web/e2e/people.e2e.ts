/** The first start, coming and going, and a server that goes away for a while. */
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { addPerson, PASSWORD, signIn, SOON, setUpDesk } from './desk';

const desk = setUpDesk();
const ADMIN = { name: 'Ana Ruiz', email: 'ana@example.com' };
let page: Page;
beforeAll(async () => {
  page = await desk.open();
});

test('the link on the terminal makes the first administrator, once', async () => {
  await page.goto(desk.server().setupLink);
  await page.getByLabel('Your name').fill(ADMIN.name);
  await page.getByLabel('E-mail').fill(ADMIN.email);
  await page.getByLabel('Password').fill('too short');
  expect(page.url()).not.toContain('token');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByText('The password needs at least 12 characters.').waitFor(SOON);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByText('No tickets yet').waitFor(SOON);

  const late = await desk.open();
  await late.goto(desk.server().setupLink);
  await late.getByText('Gaby is already set up.').waitFor(SOON);
  await late.context().close();
});

test('a program hands a ticket in with a token, which stops working when it is revoked', async () => {
  await page.getByRole('link', { name: 'Settings' }).first().click();
  await page.getByRole('button', { name: 'Make a token' }).click();
  await page.getByLabel('What is it for?').fill('the shop');
  await page.getByRole('button', { name: 'Make a token' }).click();
  const secret = (await page.locator('code').first().textContent(SOON)) ?? '';
  const handIn = (subject: string) =>
    fetch(`${desk.server().address}/api/tickets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ subject, body: 'Nobody answers.' }),
    });
  expect((await handIn('A ticket from a program')).status).toBe(202);
  await page.getByRole('link', { name: 'Inbox' }).first().click();
  await page.getByRole('region', { name: 'Inbox', exact: true }).getByText('A ticket from a program').waitFor(SOON);
  await page.getByRole('link', { name: 'Settings' }).first().click();
  await page.getByRole('button', { name: 'Revoke' }).click();
  await page.getByText(/No tokens yet/).waitFor(SOON);
  expect((await handIn('Too late')).status).toBe(401);
});

test('a server that goes away is noticed, and what was missed is there when it is back', async () => {
  await page.getByRole('link', { name: 'Inbox' }).first().click();
  await page.getByText('A ticket from a program').first().waitFor(SOON);
  await desk.server().halt();
  const banner = page.getByText(/Live updates are interrupted/);
  await banner.waitFor(SOON);
  await page.getByRole('link', { name: 'Status' }).first().click();
  await page.getByText(/The server cannot be reached/).first().waitFor(SOON);
  await desk.server().resume();
  await banner.waitFor({ state: 'detached', ...SOON });
  await page.getByText('Being worked on').waitFor(SOON);
});

test('a wrong password says so, and who comes in comes to where they wanted', async () => {
  await addPerson(page, { name: 'Abe Acts', email: 'abe@example.com', role: 'agent' });
  const agent = await desk.open();
  await agent.goto(`${desk.server().address}/audit`);
  await agent.getByLabel('E-mail').fill('abe@example.com');
  await agent.getByLabel('Password').fill('not the pass phrase');
  await agent.getByRole('button', { name: 'Sign in' }).click();
  await agent.getByRole('alert').waitFor(SOON);
  await agent.getByLabel('Password').fill(PASSWORD);
  await agent.getByRole('button', { name: 'Sign in' }).click();
  await agent.getByRole('heading', { name: 'Audit', level: 1 }).waitFor(SOON);
  await agent.context().close();
});

test('who signs out is out, in every tab', async () => {
  const other = await page.context().newPage();
  await other.goto(`${desk.server().address}/inbox`);
  await other.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor(SOON);
  await page.getByRole('button', { name: /^Sign out/ }).first().click();
  await page.getByLabel('Password').waitFor(SOON);
  expect((await page.request.get(`${desk.server().address}/api/tickets`)).status()).toBe(401);
  await other.getByRole('link', { name: 'Audit' }).first().click();
  await other.getByLabel('Password').waitFor(SOON);
  await other.close();
  await signIn(page, desk.server().address, ADMIN.email);
});
