/** The pictures of README.md, from the demo: `npm run screenshots`, with a binary as for the tests. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, test } from 'vitest';
import { read, settled, setUpDesk, SOON } from './desk';
import { quickDemo } from './server';

const FOLDER = join(import.meta.dirname, '../../docs/screenshots');
const LOOK = { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1.5, reducedMotion: 'reduce' as const };
const TICKETS = 12;

const desk = setUpDesk(quickDemo);
let page: Page;

type Listed = { items: { id: string; state: string; subject: string; ticket: string }[] };

beforeAll(async () => {
  await mkdir(FOLDER, { recursive: true });
  page = await desk.open(LOOK);
  await page.goto(desk.server().setupLink);
  await page.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor(SOON);
  await settled(page, desk.server().address, TICKETS);
}, 300_000);

async function shoot(name: string, address: string, ready: () => Promise<unknown>): Promise<void> {
  await page.goto(desk.server().address + address);
  await ready();
  await page.evaluate(() => document.fonts.ready);
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(FOLDER, `${name}.png`) });
}

const list = (path: string) => read<Listed>(page, desk.server().address, path);

test('the inbox, with a ticket that Gaby answered', async () => {
  const resolved = (await list('/api/tickets?state=resolved')).items.at(-1);
  await shoot('inbox', `/inbox/${resolved?.id ?? ''}`, () => page.getByRole('button', { name: /^Open citation/ }).first().waitFor(SOON));
});

test('a ticket whose citation is open', async () => {
  const resolved = (await list('/api/tickets?state=resolved')).items.at(-1);
  await shoot('ticket', `/inbox/${resolved?.id ?? ''}?cite=1`, () => page.getByRole('complementary').locator('mark').first().waitFor(SOON));
});

test('an action that waits for a person', async () => {
  const action = (await list('/api/actions?state=proposed')).items[0];
  await shoot('approvals', `/approvals/${action?.id ?? ''}`, () => page.getByText('Exact arguments').waitFor(SOON));
});

test('a search that explains itself', async () => {
  await shoot('knowledge', '/knowledge?q=customer+charged+twice', async () => {
    await page.getByText('Why this hit').first().click(SOON);
    await page.getByText('By words').first().waitFor(SOON);
  });
});
