/** The main way through the console, on the real server with the demo. */
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { PHONE, violations } from './browser';
import { addPerson, cited, read, settled, signIn, SOON, setUpDesk } from './desk';
import { quickDemo } from './server';

const desk = setUpDesk(quickDemo);
const VIEWER = { name: 'Vera Looks', email: 'vera@example.com', role: 'viewer' as const };
const AGENT = { name: 'Abe Acts', email: 'abe@example.com', role: 'agent' as const };
const BOSS = { name: 'Bea Boss', email: 'bea@example.com', role: 'admin' as const };
const TICKETS = 12;

let page: Page;
beforeAll(async () => {
  page = await desk.open();
});

const home = () => desk.server().address;
const inbox = (on: Page) => on.getByRole('region', { name: 'Inbox', exact: true });
const investigation = (on: Page) => on.getByRole('region', { name: 'Investigation', exact: true });

test('the link on the terminal signs in, and leaves the address bar', async () => {
  await page.goto(desk.server().setupLink);
  await page.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor(SOON);
  expect(page.url()).not.toContain('token');
});

test('tickets arrive by themselves and are investigated, without the page being loaded again', async () => {
  let loads = 0;
  page.on('load', () => (loads += 1));
  const rows = inbox(page).getByRole('link');
  await rows.first().waitFor(SOON);
  const before = await rows.count();
  await rows.nth(before).waitFor(SOON);
  await rows.first().click();
  await investigation(page).getByText(/Gaby investigated this ticket/).waitFor(SOON);
  expect(await investigation(page).getByRole('listitem').count()).toBeGreaterThan(1);
  await rows.nth(TICKETS - 1).waitFor(SOON);
  const tickets = await settled(page, home(), TICKETS);
  await inbox(page).getByText('Investigating', { exact: true }).waitFor({ state: 'detached', ...SOON });
  for (const state of ['resolved', 'waiting_for_approval', 'escalated']) expect(tickets.map((ticket) => ticket.state)).toContain(state);
  expect(loads).toBe(0);
});

test('looking again is seen while it happens', async () => {
  await page.getByRole('button', { name: /^Resolved \d/ }).click();
  await inbox(page).getByRole('link').first().click();
  const answered = page.getByRole('region', { name: 'Conversation' }).getByRole('article');
  await answered.first().waitFor(SOON);
  const id = page.url().split('/').at(-1)?.split('?')[0] ?? '';
  const started = async () => (await read<{ investigation: { started_at: string } }>(page, home(), `/api/tickets/${id}`)).investigation.started_at;
  const before = await started();
  await page.getByRole('button', { name: /Run the investigation again/ }).click();
  await expect.poll(started, SOON).not.toBe(before);
  await settled(page, home(), TICKETS);
  await investigation(page).getByText(/Gaby investigated this ticket/).waitFor(SOON);
});

test('a citation opens the passage that the sentence rests on', async () => {
  const { ticket, number } = await cited(page, home(), 'passage');
  await page.goto(`${home()}/inbox/${ticket}`);
  await page.getByRole('region', { name: 'Conversation' }).getByRole('button', { name: new RegExp(`^Open citation ${number}:`) }).first().click(SOON);
  const panel = page.getByRole('complementary');
  await panel.getByText('What it supports').waitFor(SOON);
  const marks = panel.locator('mark');
  await marks.first().waitFor(SOON);
  expect((await marks.allTextContents()).join('').length).toBeGreaterThan(20);
  await expect.poll(() => panel.locator('mark[data-passage=quoted]').first().evaluate(isInView), SOON).toBe(true);
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });
});

test('a citation of a tool call shows what was asked and what came back', async () => {
  const { ticket, number } = await cited(page, home(), 'tool_call');
  await page.goto(`${home()}/inbox/${ticket}`);
  await page.getByRole('region', { name: 'Conversation' }).getByRole('button', { name: new RegExp(`^Open citation ${number}:`) }).first().click(SOON);
  const panel = page.getByRole('complementary');
  await panel.getByText('Arguments', { exact: true }).waitFor(SOON);
  await panel.getByText('Result', { exact: true }).waitFor(SOON);
  expect(await panel.locator('dd').count()).toBeGreaterThan(1);
});

function isInView(element: Element): boolean {
  const { top, bottom } = element.getBoundingClientRect();
  return top >= 0 && bottom <= window.innerHeight;
}

test('an administrator adds people', async () => {
  for (const person of [VIEWER, AGENT, BOSS]) await addPerson(page, person);
});

test('who may only read can look at an action and not decide it, not even by asking the server', async () => {
  const viewer = await desk.open();
  await signIn(viewer, home(), VIEWER.email);
  await viewer.getByRole('link', { name: /^Approvals/ }).first().click();
  await viewer.getByRole('region', { name: 'Approvals', exact: true }).getByRole('link').first().click(SOON);
  await viewer.getByText('Your role can look, but not decide.').waitFor(SOON);
  await viewer.keyboard.press('y');
  expect(await viewer.getByRole('button', { name: /Approve|Reject/ }).count()).toBe(0);
  const id = viewer.url().split('/').at(-1) ?? '';
  const refused = await viewer.evaluate(async (action) => {
    const read = async (path: string) => (await (await fetch(path)).json()) as { csrf: string; decision_hash: string };
    const { csrf } = await read('/api/session');
    const { decision_hash } = await read(`/api/actions/${action}`);
    const headers = { 'content-type': 'application/json', 'x-gaby-csrf': csrf };
    return (await fetch(`/api/actions/${action}/approve`, { method: 'POST', headers, body: JSON.stringify({ decision_hash }) })).status;
  }, id);
  expect(refused).toBe(403);
  expect((await read<{ state: string }>(page, home(), `/api/actions/${id}`)).state).toBe('proposed');
  await viewer.goto(`${home()}/settings`);
  await viewer.getByText('Only an administrator manages people and tokens.').waitFor(SOON);
  await viewer.context().close();
});

test('a proposed action shows its exact arguments, is approved, and is carried out', async () => {
  await page.getByRole('link', { name: /^Approvals/ }).first().click();
  await page.getByRole('region', { name: 'Approvals', exact: true }).getByRole('link').first().click(SOON);
  const article = page.getByRole('article').filter({ hasText: 'Exact arguments' });
  await article.getByRole('button', { name: 'Approve' }).click(SOON);
  await article.getByText('Done', { exact: true }).waitFor(SOON);
  await article.getByText('Outcome', { exact: true }).waitFor(SOON);
  await article.getByRole('link').filter({ hasNotText: 'Back' }).first().click();
  await investigation(page).getByText('Done', { exact: true }).first().waitFor(SOON);
});

test('everything can be done by keyboard, and the focus is seen', async () => {
  const agent = await desk.open();
  const keys = agent.keyboard;
  await agent.goto(home());
  await agent.getByLabel('E-mail').waitFor(SOON);
  await reach(agent, () => agent.getByLabel('E-mail'));
  await keys.type(AGENT.email);
  await keys.press('Tab');
  await keys.type('a long enough pass phrase');
  await keys.press('Enter');
  await inbox(agent).getByRole('link').first().waitFor(SOON);

  await keys.press('Tab');
  expect(await focused(agent)).toMatchObject({ text: 'Skip to content', seen: true });
  await keys.press('j');
  await keys.press('j');
  await keys.press('k');
  expect(await focused(agent)).toMatchObject({ row: 0, seen: true });
  await keys.press('Enter');
  await investigation(agent).getByText(/Gaby investigated this ticket/).waitFor(SOON);
  await keys.press('1');
  await agent.getByRole('complementary').waitFor(SOON);
  await keys.press('Escape');
  await agent.getByRole('complementary').waitFor({ state: 'detached' });
  await keys.press('.');
  await investigation(agent).waitFor({ state: 'hidden' });
  await keys.press('.');
  await investigation(agent).waitFor(SOON);
  await keys.press('n');
  await keys.type('Seen by Abe.');
  await keys.press('Control+Enter');
  await agent.getByRole('region', { name: 'Conversation' }).getByText('Seen by Abe.').waitFor(SOON);
  await agent.getByRole('textbox', { name: 'Note' }).waitFor({ state: 'detached', ...SOON });

  await keys.press('?');
  await agent.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor(SOON);
  await keys.press('Escape');
  await agent.getByRole('dialog').waitFor({ state: 'detached' });
  await keys.press('Control+k');
  await agent.getByRole('combobox', { name: 'Go anywhere' }).waitFor(SOON);
  await keys.type('approv');
  await keys.press('Enter');
  const waiting = agent.getByRole('region', { name: 'Approvals', exact: true }).getByRole('link');
  await waiting.first().waitFor(SOON);
  await keys.press('j');
  await keys.press('Enter');
  await agent.getByRole('button', { name: 'Reject' }).waitFor(SOON);
  await keys.press('n');
  await agent.getByRole('textbox').waitFor(SOON);
  await keys.type('A person looks into this one.');
  await keys.press('Tab');
  await keys.press('Enter');
  await agent.getByRole('article').getByText('Rejected', { exact: true }).waitFor(SOON);
  await agent.getByText('A person looks into this one.').waitFor(SOON);
  await agent.context().close();
});

/** Presses Tab until the element has the focus. */
async function reach(on: Page, element: () => ReturnType<Page['getByLabel']>): Promise<void> {
  for (let presses = 0; presses < 20; presses += 1) {
    if (await element().evaluate((field) => field === document.activeElement)) return;
    await on.keyboard.press('Tab');
  }
  throw new Error('the field cannot be reached with the Tab key');
}

/** What has the focus, and whether one sees that it has. */
function focused(on: Page): Promise<{ text: string; row: number; seen: boolean }> {
  return on.evaluate(() => {
    const element = document.activeElement ?? document.body;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return {
      text: element.textContent,
      row: [...document.querySelectorAll('[data-row]')].indexOf(element),
      seen: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2,
    };
  });
}

test('the knowledge base is searched, and says why', async () => {
  await page.getByRole('link', { name: 'Knowledge' }).first().click();
  await page.getByRole('searchbox').fill('charged twice');
  await page.getByText('Why this hit').first().click(SOON);
  await page.getByText('By words').first().waitFor(SOON);
  expect(await page.getByRole('meter').count()).toBeGreaterThan(1);
  await page.locator('[data-row]').first().click();
  await page.getByRole('complementary').locator('mark').first().waitFor(SOON);
  await page.keyboard.press('Escape');
});

test('the audit chain is whole, and its entries lead to what they are about', async () => {
  await page.getByRole('link', { name: 'Audit' }).first().click();
  await page.getByRole('button', { name: 'Verify the chain' }).click();
  await page.getByText(/The chain is whole/).waitFor(SOON);
  await page.getByRole('table').getByRole('link', { name: /^(tkt|act)_/ }).first().click(SOON);
  await page.waitForURL(/\/(inbox|approvals)\//);
});

test('on a phone one pane is shown at a time, with a way back', async () => {
  const phone = await desk.open(PHONE);
  await signIn(phone, home(), AGENT.email);
  await inbox(phone).getByRole('link').first().tap();
  await phone.getByRole('button', { name: /^Investigation/ }).tap();
  await investigation(phone).waitFor(SOON);
  expect(await inbox(phone).isVisible()).toBe(false);
  await phone.getByRole('link', { name: 'Back' }).tap();
  await inbox(phone).waitFor(SOON);
  await phone.context().close();
});

const SCREENS = ['/inbox', '/inbox?q=zebra', '/approvals?show=earlier', '/knowledge', '/knowledge?q=invoice', '/connectors', '/playbooks', '/policies', '/audit', '/status', '/settings', '/settings/models', '/nowhere'];

async function addresses(): Promise<string[]> {
  const tickets = (await read<{ items: { id: string; state: string }[] }>(page, home(), '/api/tickets?limit=100')).items;
  const actions = (await read<{ items: { id: string; state: string }[] }>(page, home(), '/api/actions')).items;
  const oneOfEach = (items: { id: string; state: string }[]) => [...new Map(items.map((item) => [item.state, item.id])).values()];
  const ids = oneOfEach(tickets);
  return [...SCREENS, ...ids.map((id) => `/inbox/${id}`), `/inbox/${ids[0] ?? ''}?cite=1`, ...oneOfEach(actions).map((id) => `/approvals/${id}`)];
}

/** Opens what a screen keeps closed at first, so that it is looked at too. */
async function unfold(on: Page): Promise<void> {
  await on.evaluate(() => {
    for (const part of document.querySelectorAll('details')) part.open = true;
  });
  for (const name of ['Add a person', 'Make a token', 'Reject']) {
    const button = on.getByRole('button', { name, exact: true });
    if (await button.isVisible()) await button.click();
  }
}

const LOOKS = [
  ['light, on a desk', { viewport: { width: 1280, height: 800 } }],
  ['dark, on a desk', { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' as const }],
  ['light, on a phone', PHONE],
  ['dark, on a phone', { ...PHONE, colorScheme: 'dark' as const }],
] as const;

test.each(LOOKS)('axe finds nothing to improve on any screen, and nothing is wider than it: %s', { timeout: 600_000 }, async (_, look) => {
  const screen = await desk.open({ ...look, reducedMotion: 'reduce' });
  const found: string[] = [];
  const check = async (place: string) => {
    const wide = await screen.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) found.push(`${place} is ${wide} px wider than the screen`);
    found.push(...(await violations(screen)).map((text) => `${place} ${text}`));
  };
  await screen.goto(`${home()}/sign-in`);
  await screen.getByLabel('E-mail').waitFor(SOON);
  await check('/sign-in');
  await signIn(screen, home(), BOSS.email);
  for (const address of await addresses()) {
    await screen.goto(home() + address);
    await screen.getByRole('heading').first().waitFor(SOON);
    await expect.poll(() => screen.locator('.breathe[aria-hidden] div').count(), SOON).toBe(0);
    await unfold(screen);
    await check(address);
  }
  await screen.keyboard.press('Control+k');
  await screen.getByRole('option').first().waitFor(SOON);
  await check('the palette');
  await screen.keyboard.press('Escape');
  await screen.keyboard.press('?');
  await screen.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor(SOON);
  await check('the help');
  await screen.context().close();
  expect(found.join('\n\n')).toBe('');
});
