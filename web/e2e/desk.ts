/** A server, a browser and the people at it: what every test of the console begins with. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import { DESK, openPage, startBrowser, type Watched } from './browser';
import { startServer, type Server } from './server';

export const SOON = { timeout: 60_000 };
export const PASSWORD = 'a long enough pass phrase';
const START_MS = 240_000;

export type Desk = {
  server: () => Server;
  /** A new page in a browser profile of its own. */
  open: (look?: BrowserContextOptions) => Promise<Page>;
  /** One whose log is not looked at. */
  openUnwatched: () => Promise<Page>;
};

/**
 * Starts both for the tests of a file, with the demo in the folder that `demo` makes. After every
 * test, nothing may have been logged as wrong, and nothing asked of other hosts.
 */
export function setUpDesk(demo?: () => Promise<string>): Desk {
  let server: Server | undefined;
  let browser: Browser | undefined;
  const watched: Watched[] = [];
  beforeAll(async () => {
    server = await startServer(demo ? { demo: await demo() } : {});
    browser = await startBrowser();
  }, START_MS);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  afterEach(() => {
    for (const { complaints, elsewhere } of watched) {
      expect(complaints, 'nothing in the browser’s log, so no violation of the content security policy').toEqual([]);
      expect(elsewhere, 'nothing is asked of any other host').toEqual([]);
    }
  });
  const started = () => {
    if (!server || !browser) throw new Error('the desk is open only within tests');
    return { server, browser };
  };
  return {
    server: () => started().server,
    async open(look = DESK) {
      const opened = await openPage(started().browser, started().server.address, look);
      watched.push(opened);
      return opened.page;
    },
    async openUnwatched() {
      return (await openPage(started().browser, started().server.address)).page;
    },
  };
}

export async function signIn(page: Page, home: string, email: string, password = PASSWORD): Promise<void> {
  await page.goto(`${home}/sign-in`);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor(SOON);
}

/** Adds a person through the settings, as an administrator does. */
export async function addPerson(page: Page, person: { name: string; email: string; role: 'viewer' | 'agent' | 'admin' }): Promise<void> {
  await page.getByRole('link', { name: 'Settings' }).first().click();
  await page.getByRole('button', { name: 'Add a person' }).click();
  await page.getByLabel('Name', { exact: true }).fill(person.name);
  await page.getByLabel('E-mail', { exact: true }).fill(person.email);
  await page.getByLabel('First password').fill(PASSWORD);
  await page.getByLabel('Role').selectOption(person.role);
  await page.getByRole('button', { name: 'Add a person' }).click();
  await page.getByText(person.email).waitFor(SOON);
}

type Ticket = { id: string; subject: string; state: string };

export async function read<T>(page: Page, home: string, path: string): Promise<T> {
  const answer = await page.request.get(home + path);
  if (!answer.ok()) throw new Error(`${path} answered ${answer.status()}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Waits until so many tickets came in and all of them were looked into. */
export async function settled(page: Page, home: string, count: number): Promise<Ticket[]> {
  const look = async () => {
    const { items } = await read<{ items: Ticket[] }>(page, home, '/api/tickets?limit=100');
    const done = items.filter(({ state }) => state !== 'new' && state !== 'investigating').length;
    if (done !== count) throw new Error(`${done} of ${count} tickets were looked into`);
    return items;
  };
  return vi.waitFor(look, { timeout: 240_000, interval: 500 });
}

type Investigated = {
  investigation: { verdict: string; citations: { number: number }[]; evidence: { number: number; origin: { kind: string } }[] } | null;
};

/** A ticket that Gaby answered with a citation of this kind, and the citation's number. */
export async function cited(page: Page, home: string, kind: 'passage' | 'tool_call'): Promise<{ ticket: string; number: number }> {
  for (const { id } of (await read<{ items: Ticket[] }>(page, home, '/api/tickets?state=resolved&limit=100')).items) {
    const { investigation } = await read<Investigated>(page, home, `/api/tickets/${id}`);
    const kinds = new Map(investigation?.evidence.map(({ number, origin }) => [number, origin.kind]));
    const citation = investigation?.citations.find(({ number }) => kinds.get(number) === kind);
    if (citation) return { ticket: id, number: citation.number };
  }
  throw new Error(`no answer cites a ${kind}`);
}
