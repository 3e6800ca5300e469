/** The main way through the console, on the real server with the demo. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openPage, startBrowser, violations, type Watched } from './browser';
import { startServer, type Server } from './server';

const ADMIN = { name: 'Ana Ruiz', email: 'ana@example.com', password: 'a long enough pass phrase' };
const SOON = { timeout: 30_000 };
const DEMO = { timeout: 100_000 };

let server: Server;
let browser: Browser;
let page: Page;
const watched: Watched[] = [];
const cleanUp: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await startServer();
  cleanUp.unshift(server.stop);
  browser = await startBrowser();
  cleanUp.unshift(() => browser.close());
  ({ page } = await open());
});

afterAll(async () => {
  for (const step of cleanUp) await step();
});

afterEach(() => {
  for (const { complaints, elsewhere } of watched) {
    expect(complaints, 'nothing in the browser’s log, so no violation of the content security policy').toEqual([]);
    expect(elsewhere, 'nothing is asked of any other host').toEqual([]);
  }
});

async function open(options: BrowserContextOptions = {}): Promise<Watched> {
  const opened = await openPage(browser, server.address, options);
  watched.push(opened);
  return opened;
}

async function signIn(on: Page) {
  await on.goto(`${server.address}/`);
  await on.getByLabel('E-mail').fill(ADMIN.email);
  await on.getByLabel('Password').fill(ADMIN.password);
  await on.getByRole('button', { name: 'Sign in' }).click();
  await on.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor(SOON);
}

test('the link on the terminal makes the first administrator and signs in', async () => {
  await page.goto(server.setupLink);
  await page.getByLabel('Your name').fill(ADMIN.name);
  await page.getByLabel('E-mail').fill(ADMIN.email);
  await page.getByLabel('Password').fill(ADMIN.password);
  expect(page.url()).not.toContain('token');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor(SOON);
});

test('tickets arrive by themselves, and one is investigated before the eyes', async () => {
  const list = page.getByRole('region', { name: 'Inbox' });
  await list.getByRole('link').first().waitFor(DEMO);
  const before = await list.getByRole('link').count();
  await list.getByRole('link').nth(before).waitFor(DEMO);
  await list.getByRole('link').first().click();
  const panel = page.getByRole('region', { name: 'Investigation' });
  await panel.getByText(/Gaby investigated this ticket/).waitFor(DEMO);
  expect(await panel.getByRole('listitem').count()).toBeGreaterThan(1);
});

test('a citation opens the passage that the sentence rests on', async () => {
  await page.getByRole('button', { name: /^Resolved \d/ }).click();
  const list = page.getByRole('region', { name: 'Inbox' });
  await list.getByRole('link').last().click();
  const citation = page.getByRole('region', { name: 'Conversation' }).getByRole('button', { name: /^Open citation/ }).first();
  await citation.waitFor(SOON);
  const sentence = await citation.evaluate((button) => button.parentElement?.textContent ?? '');
  await citation.click();
  const panel = page.getByRole('complementary');
  const mark = panel.locator('mark').first();
  await mark.waitFor(SOON);
  await expect.poll(() => mark.isVisible()).toBe(true);
  expect(sentence.length).toBeGreaterThan(0);
  expect((await panel.locator('mark').allTextContents()).join('').length).toBeGreaterThan(20);
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });
});

test('a proposed action shows its exact arguments, is approved, and is carried out', async () => {
  await page.getByRole('link', { name: /^Approvals/ }).first().click();
  const first = page.getByRole('region', { name: 'Approvals' }).getByRole('link').first();
  await first.waitFor(DEMO);
  await first.click();
  await page.getByText('Exact arguments').waitFor(SOON);
  await page.getByRole('button', { name: /Approve/ }).waitFor(SOON);
  await page.keyboard.press('y');
  const article = page.getByRole('article').filter({ hasText: 'Exact arguments' });
  await article.getByText('Done', { exact: true }).waitFor(SOON);
  await article.getByText('Outcome', { exact: true }).waitFor(SOON);
  await article.getByRole('link').filter({ hasNotText: 'Back' }).first().click();
  await page.getByRole('region', { name: 'Investigation' }).getByText('Done', { exact: true }).first().waitFor(SOON);
});

test('the knowledge base is searched, and says why', async () => {
  await page.getByRole('link', { name: 'Knowledge' }).first().click();
  await page.getByRole('searchbox').fill('charged twice');
  await page.getByText('Why this hit').first().click();
  await page.getByText('By words').first().waitFor(SOON);
  expect(await page.getByRole('meter').count()).toBeGreaterThan(1);
  await page.getByRole('button', { name: /passage|›|\w/ }).filter({ has: page.getByRole('meter') }).first().click();
  await page.getByRole('complementary').locator('mark').first().waitFor(SOON);
  await page.keyboard.press('Escape');
});

test('the audit chain is whole', async () => {
  await page.getByRole('link', { name: 'Audit' }).first().click();
  await page.getByRole('button', { name: 'Verify the chain' }).click();
  await page.getByText(/The chain is whole/).waitFor(SOON);
});

const SCREENS = ['/inbox', '/approvals', '/knowledge', '/knowledge?q=invoice', '/connectors', '/playbooks', '/audit', '/status', '/settings'];

async function addresses(): Promise<string[]> {
  const read = async (path: string) => (await page.request.get(server.address + path)).json() as Promise<{ items: { id: string }[] }>;
  const ticket = (await read('/api/tickets?state=resolved')).items[0];
  const action = (await read('/api/actions')).items[0];
  if (!ticket || !action) throw new Error('the demo has no resolved ticket or no action');
  return [...SCREENS, `/inbox/${ticket.id}`, `/inbox/${ticket.id}?cite=1`, `/approvals/${action.id}`];
}

test.each([
  ['light, on a desk', {}],
  ['dark, on a desk', { colorScheme: 'dark' as const }],
  ['light, on a phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
])('axe finds nothing to improve on any screen: %s', async (_, options) => {
  const { page: screen } = await open({ ...options, reducedMotion: 'reduce' });
  const found: string[] = [];
  await screen.goto(`${server.address}/sign-in`);
  await screen.getByLabel('E-mail').waitFor(SOON);
  found.push(...(await violations(screen)).map((text) => `/sign-in ${text}`));
  await signIn(screen);
  for (const address of await addresses()) {
    await screen.goto(server.address + address);
    await screen.getByRole('heading').first().waitFor(SOON);
    await expect.poll(() => screen.locator('.breathe[aria-hidden]').filter({ has: screen.locator('div') }).count(), SOON).toBe(0);
    const wide = await screen.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) found.push(`${address} is ${wide} px wider than the screen`);
    found.push(...(await violations(screen)).map((text) => `${address} ${text}`));
  }
  await screen.context().close();
  expect(found.join('\n\n')).toBe('');
});

test('on a phone one pane is shown at a time, with a way back', async () => {
  const { page: phone } = await open({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await signIn(phone);
  const list = phone.getByRole('region', { name: 'Inbox' });
  await list.getByRole('link').first().tap();
  await phone.getByRole('button', { name: /^Investigation/ }).tap();
  await phone.getByRole('region', { name: 'Investigation' }).waitFor(SOON);
  expect(await list.isVisible()).toBe(false);
  await phone.getByRole('link', { name: 'Back' }).tap();
  await list.waitFor(SOON);
  await phone.context().close();
});

test('who signs out is out', async () => {
  await page.getByRole('button', { name: /^Sign out/ }).first().click();
  await page.getByLabel('Password').waitFor(SOON);
  expect((await page.request.get(`${server.address}/api/tickets`)).status()).toBe(401);
});
