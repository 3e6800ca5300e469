/** Chromium, with everything it complains about kept. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
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

export function startBrowser(): Promise<Browser> {
  const executablePath = CANDIDATES.find((path) => path !== undefined && existsSync(path));
  if (!executablePath) throw new Error('there is no Chromium: install it (apt-get install chromium), or name it by CHROMIUM');
  return chromium.launch({ executablePath, args: FLAGS });
}

export type Watched = { page: Page; complaints: string[]; elsewhere: string[] };

/** A page that keeps what the console logged as wrong, and what was asked of other hosts. */
export async function openPage(browser: Browser, home: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const elsewhere: string[] = [];
  page.on('console', (message) => {
    // Chromium reports every answer of 4xx as an error; being asked to sign in is none.
    if (['error', 'warning'].includes(message.type()) && !/status of 401/.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(home) && !request.url().startsWith('data:')) elsewhere.push(request.url());
  });
  return { page, complaints, elsewhere };
}

type Violation = { id: string; help: string; nodes: { html: string; failureSummary?: string }[] };
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds wrong on the page as it stands, in words. */
export async function violations(page: Page): Promise<string[]> {
  // Through the debugger, which the content security policy does not concern.
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const axe = Reflect.get(window, 'axe') as { run: (context: Document, options: object) => Promise<{ violations: Violation[] }> };
    const { violations } = await axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations;
  });
  return found.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => `${node.html}\n    ${node.failureSummary ?? ''}`).slice(0, 3).join('\n  ')}`);
}
