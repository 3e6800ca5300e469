/** Debian's Chromium, and what a page did that it should not have done. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const CANDIDATES = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const DESK: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };
export const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

export function startBrowser(): Promise<Browser> {
  const executablePath = CANDIDATES.find((path) => path !== undefined && existsSync(path));
  if (!executablePath) throw new Error('there is no Chromium: install it (apt-get install chromium), or name it by CHROMIUM');
  return chromium.launch({ executablePath, args: FLAGS });
}

export type Watched = {
  page: Page;
  /** What the browser logged as wrong; violations of the content security policy are among it. */
  complaints: string[];
  /** What was asked of other hosts. */
  elsewhere: string[];
};

export async function openPage(browser: Browser, home: string, options: BrowserContextOptions = DESK): Promise<Watched> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  const elsewhere: string[] = [];
  page.on('console', (message) => {
    // Chromium reports every answer of 4xx and every lost connection as an error; these are part of the tests.
    if (['error', 'warning'].includes(message.type()) && !/status of 4\d\d|net::ERR_/.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog said ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('request', (request) => {
    if (!request.url().startsWith(home) && !request.url().startsWith('data:')) elsewhere.push(request.url());
  });
  return { page, complaints, elsewhere };
}

type Violation = { id: string; help: string; nodes: { html: string; failureSummary?: string }[] };
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const SHOWN = 3;

/** What axe finds wrong on the page as it stands, in words. */
export async function violations(page: Page): Promise<string[]> {
  // Through the debugger, which the content security policy does not concern.
  await page.evaluate(AXE);
  const found = await page.evaluate(async (rules) => {
    const axe = Reflect.get(window, 'axe') as { run: (context: Document, options: object) => Promise<{ violations: Violation[] }> };
    return (await axe.run(document, { runOnly: rules })).violations;
  }, RULES);
  return found.map(({ id, help, nodes }) => {
    const places = nodes.slice(0, SHOWN).map((node) => `${node.html}\n    ${node.failureSummary ?? ''}`);
    return `${id}: ${help}\n  ${places.join('\n  ')}`;
  });
}
