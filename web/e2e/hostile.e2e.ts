/** Texts of strangers that try to run in the console (T16): shown everywhere, run nowhere. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { read, settled, setUpDesk, SOON } from './desk';
import { PAYLOADS } from './payloads';

const desk = setUpDesk(hostileDemo);
const home = () => desk.server().address;
let page: Page;

type Ticket = { id: string; subject: string };
let tickets: Ticket[] = [];

/** A demo in which every text that a stranger writes is one of the payloads: tickets, names and articles. */
async function hostileDemo(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gaby-hostile-'));
  await Promise.all(['tickets', 'articles'].map((name) => mkdir(join(folder, name))));
  const plan = ['workspace: { slug: hostile, name: Hostile }', 'source: { name: helpdesk }', 'knowledge: [articles]', 'tickets:'];
  for (const [i, payload] of PAYLOADS.entries()) {
    const requester = { name: payload, email: `stranger${i}@example.com` };
    const ticket = { subject: payload, body: `${payload}\n\nHow do I reset password number ${i}?`, requester };
    await writeFile(join(folder, `tickets/${i}.json`), JSON.stringify(ticket));
    const article = `# Reset password number ${i} ${payload}\n\nTo reset password number ${i}, do this: ${payload}\n\n${payload}\n`;
    await writeFile(join(folder, `articles/${i}.md`), article);
    plan.push(`  - { file: tickets/${i}.json }`);
  }
  await writeFile(join(folder, 'demo.yaml'), `${plan.join('\n')}\n`);
  return folder;
}

beforeAll(async () => {
  page = await desk.open();
  await page.addInitScript(watch);
  await page.goto(desk.server().setupLink);
  await page.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor(SOON);
  tickets = await settled(page, home(), PAYLOADS.length);
}, 300_000);

/** Within the page: keeps which payloads ran, and what the content security policy stopped. */
function watch(): void {
  const seen: string[] = [];
  Reflect.set(window, 'seen', seen);
  Reflect.set(window, 'pwned', (n: number) => seen.push(`payload ${n} ran`));
  document.addEventListener('securitypolicyviolation', (event) => seen.push(`${event.violatedDirective}: ${event.blockedURI}`));
}

/** What ran, and what the content security policy had to stop. Both mean that a text became markup. */
async function expectNothingRan(place: string): Promise<void> {
  expect(await page.evaluate(() => Reflect.get(window, 'seen') as string[]), place).toEqual([]);
  const reached = await page.evaluate(() =>
    [...document.querySelectorAll('a[href], [src], form[action], base, meta[http-equiv]')]
      .map((element) => element.getAttribute('href') ?? element.getAttribute('src') ?? element.tagName)
      .filter((address) => !/^(\/|#|https:|mailto:)/.test(address)),
  );
  expect(reached, `${place} has no address but of pages`).toEqual([]);
}

/** Goes to an address as a link of the console does, and waits until the server answered what it asks for. */
async function visit(address: string, asks: string): Promise<void> {
  const answered = page.waitForResponse((answer) => answer.url().includes(asks), SOON);
  await page.evaluate((to) => {
    window.history.pushState(null, '', to);
    window.dispatchEvent(new PopStateEvent('popstate'));
  }, address);
  await (await answered).finished();
}

test('the corpus is large, and a text that did become markup would be noticed', async () => {
  expect(PAYLOADS.length).toBeGreaterThanOrEqual(60);
  // The browser logs what it stops here; that log is not held against the console.
  const canary = await desk.openUnwatched();
  await canary.addInitScript(watch);
  await canary.goto(`${home()}/sign-in`);
  await canary.evaluate(() => {
    const image = document.createElement('img');
    image.src = 'https://elsewhere.example/pixel.gif';
    document.body.append(image);
  });
  await expect.poll(() => canary.evaluate(() => Reflect.get(window, 'seen') as string[]), SOON).toEqual([expect.stringMatching(/^img-src/)]);
  await canary.context().close();
});

test('tickets show every text as it was written, in the list, the title, the conversation and the evidence', { timeout: 600_000 }, async () => {
  expect(tickets).toHaveLength(PAYLOADS.length);
  for (const { id, subject } of tickets) {
    await visit(`/inbox/${id}`, `/api/tickets/${id}`);
    const title = page.getByRole('heading', { level: 1 }).last();
    await expect.poll(async () => squeezed(await title.textContent()), SOON).toBe(squeezed(subject || '(no subject)'));
    await page.getByRole('region', { name: 'Investigation', exact: true }).getByText(/Gaby investigated this ticket/).waitFor(SOON);
    await page.evaluate(() => {
      for (const part of document.querySelectorAll('details')) part.open = true;
    });
    await expectNothingRan(subject);
  }
});

test('a note in Markdown shows what it says, and links lead to pages only', { timeout: 300_000 }, async () => {
  const { csrf } = await read<{ csrf: string }>(page, home(), '/api/session');
  const [first] = tickets;
  if (!first) throw new Error('there is no ticket');
  for (const author of ['note', 'agent']) {
    for (const body of PAYLOADS) {
      const answer = await page.request.post(`${home()}/api/tickets/${first.id}/messages`, { data: { author, body }, headers: { 'x-gaby-csrf': csrf, origin: home() } });
      expect(answer.status(), body).toBeLessThan(300);
    }
  }
  await page.goto(`${home()}/inbox/${first.id}`);
  const conversation = page.getByRole('region', { name: 'Conversation' });
  await expect.poll(() => conversation.getByRole('article').count(), SOON).toBeGreaterThan(PAYLOADS.length * 2);
  await expectNothingRan('the conversation');
});

test('the knowledge base shows hostile articles, and searches for hostile words', { timeout: 300_000 }, async () => {
  const { items } = await read<{ items: { id: string }[] }>(page, home(), '/api/knowledge/documents');
  expect(items.length).toBeGreaterThan(10);
  for (const { id } of items) {
    await visit(`/knowledge?document=${id}`, `/api/knowledge/documents/${id}`);
    await page.getByRole('complementary').locator('p').first().waitFor(SOON);
    await expectNothingRan(`document ${id}`);
  }
  for (const payload of PAYLOADS.slice(0, 20)) {
    await visit(`/knowledge?q=${encodeURIComponent(payload)}`, '/api/knowledge/search');
    await page.getByText(/\d passages? in \d|Nothing found/).first().waitFor(SOON);
    await expectNothingRan(`a search for ${payload}`);
  }
});

test('what stands in the address is text too', { timeout: 300_000 }, async () => {
  for (const payload of PAYLOADS) {
    await visit(`/inbox?q=${encodeURIComponent(payload)}`, '/api/tickets?');
    await expectNothingRan(`the inbox searched for ${payload}`);
  }
  for (const payload of PAYLOADS.slice(0, 10)) {
    await page.goto(`${home()}/${encodeURIComponent(payload)}`);
    await expectNothingRan(`the address ${payload}`);
  }
});

/** Text as it is compared: what a browser shows is not told apart by its spaces. */
function squeezed(text: string | null): string {
  return (text ?? '').replaceAll(/\s+/gu, ' ').trim();
}
