/** The pictures of README.md, from the demo: `npm run screenshots`, with a binary as for the tests. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, test } from 'vitest';
import { cited, read, settled, setUpDesk, SOON } from './desk';
import { quickDemo } from './server';

const FOLDER = join(import.meta.dirname, '../../docs/screenshots');
const LOOK = { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1.25, reducedMotion: 'reduce' as const };
const TICKETS = 12;

const desk = setUpDesk(quickDemo);
let page: Page;

const home = () => desk.server().address;

beforeAll(async () => {
  await mkdir(FOLDER, { recursive: true });
  page = await desk.open(LOOK);
  await page.goto(desk.server().setupLink);
  await page.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor(SOON);
  await settled(page, home(), TICKETS);
}, 300_000);

async function shoot(name: string, address: string, ready: () => Promise<unknown>): Promise<void> {
  await page.goto(home() + address);
  await ready();
  await page.evaluate(() => document.fonts.ready);
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(FOLDER, `${name}.png`) });
}

test('the inbox, with a ticket that Gaby looked into and answered', async () => {
  const { ticket } = await cited(page, home(), 'tool_call');
  await shoot('inbox', `/inbox/${ticket}`, () => page.getByRole('button', { name: /^Open citation/ }).first().waitFor(SOON));
});

test('a citation that is open at the passage it rests on', async () => {
  const { ticket, number } = await cited(page, home(), 'passage');
  await shoot('ticket', `/inbox/${ticket}?cite=${number}`, () => page.getByRole('complementary').locator('mark').first().waitFor(SOON));
});

test('an action that waits for a person', async () => {
  const { items } = await read<{ items: { id: string; risk: number }[] }>(page, home(), '/api/actions?state=proposed');
  const [riskiest] = items.sort((a, b) => b.risk - a.risk);
  if (!riskiest) throw new Error('no action waits');
  await shoot('approvals', `/approvals/${riskiest.id}`, () => page.getByText('Exact arguments').waitFor(SOON));
});

test('a search that explains itself', async () => {
  await shoot('knowledge', '/knowledge?q=my+customer+was+charged+twice', async () => {
    await page.getByText('Why this hit').first().click(SOON);
    await page.getByText('By words').first().waitFor(SOON);
  });
});
