/** What an administrator settles in the console: models, policies, scopes, and what a person decides. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PHONE, violations } from './browser';
import { addPerson, read, settled, setUpDesk, signIn, SOON } from './desk';
import { quickDemo } from './server';
import { startStub, type Stub } from './stub';

const desk = setUpDesk(quickDemo);
const TICKETS = 12;
const KEY = 'canary-key-4711';
const BOSS = { name: 'Bea Boss', email: 'bea@example.com', role: 'admin' as const };

/** Looks an article up, and answers from what it found. */
const SCRIPT = String.raw`
rules:
  - when: {offers: classify}
    answer: {calls: [{tool: classify, arguments: {category: question, question: How long is an account locked?, summary: Look it up}}]}
  - when: {turn: 0, offers: search_knowledge}
    answer: {calls: [{tool: search_knowledge, arguments: {query: account locked minutes}}]}
  - when: {offers: conclude, matches: '\[(\d+)\]'}
    answer:
      calls:
        - tool: conclude
          arguments:
            verdict: answer
            confidence: 0.9
            reason: The article says so.
            sentences: [{text: A locked account can be unlocked by our support., evidence: ["{{1}}"]}]
      usage: {input: 1000, output: 100}
  - answer: {text: Yes.}
`;

let page: Page;
let stub: Stub;
beforeAll(async () => {
  stub = await startStub(SCRIPT);
  page = await desk.open();
  await page.goto(desk.server().setupLink);
  await page.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor(SOON);
  await settled(page, home(), TICKETS);
  await addPerson(page, BOSS);
}, 300_000);
afterAll(() => stub.stop());

const home = () => desk.server().address;
const group = (name: string | RegExp) => page.getByRole('group', { name });

type Waiting = { id: string; call: { tool: { connector: string; tool: string }; arguments: Record<string, unknown> } };
const waiting = async () => (await read<{ items: Waiting[] }>(page, home(), '/api/actions?state=proposed')).items;

/** Asks the server as the console does. */
function ask(path: string, body: unknown): Promise<{ status: number; json: { id?: string } }> {
  return page.evaluate(
    async ([path, body]) => {
      const { csrf } = (await (await fetch('/api/session')).json()) as { csrf: string };
      const answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json', 'x-gaby-csrf': csrf }, body: JSON.stringify(body) });
      return { status: answer.status, json: (await answer.json()) as { id?: string } };
    },
    [path, body] as const,
  );
}

test('arguments of a proposed action are changed, which is a new decision', async () => {
  const one = (await waiting()).find(({ call }) => call.tool.tool === 'resend_invoice');
  if (!one) throw new Error('no invoice waits to be sent again');
  await page.goto(`${home()}/approvals/${one.id}`);
  await page.getByRole('button', { name: 'Change the arguments' }).click(SOON);
  const field = page.getByLabel('Arguments, as JSON');
  await field.fill('{"not": json');
  await page.getByRole('button', { name: 'Put it up for decision' }).click();
  await page.getByText('This is not a JSON object.').waitFor(SOON);
  const other = Number(one.call.arguments['invoice_id']) + 1;
  await field.fill(JSON.stringify({ ...one.call.arguments, invoice_id: other }));
  await page.getByRole('button', { name: 'Put it up for decision' }).click();
  await page.getByText('It takes the place of').waitFor(SOON);
  expect((await read<{ state: string }>(page, home(), `/api/actions/${one.id}`)).state).toBe('void');
  expect((await waiting()).some(({ call }) => call.arguments['invoice_id'] === other)).toBe(true);
});

test('the like of an action is allowed in advance, bounded, and ended', async () => {
  let allowed = false;
  for (const { id } of await waiting()) {
    await page.goto(`${home()}/approvals/${id}`);
    await page.getByText('Exact arguments').first().waitFor(SOON);
    const open = page.getByRole('button', { name: 'Allow the like in advance' });
    if (!(await open.isVisible())) continue;
    await open.click();
    await page.getByRole('button', { name: 'See what it would cover' }).click();
    const confirm = page.getByRole('button', { name: 'Allow it' });
    await confirm.or(page.getByRole('alert')).first().waitFor(SOON);
    if (!(await confirm.isVisible())) continue;
    await confirm.click();
    const done = page.getByText('Allowed in advance.', { exact: true });
    await done.or(page.getByRole('alert')).first().waitFor(SOON);
    if (!(await done.isVisible())) continue;
    allowed = true;
    break;
  }
  expect(allowed).toBe(true);
  await page.goto(`${home()}/approvals`);
  await page.getByText('Allowed in advance', { exact: true }).first().waitFor(SOON);
  await page.getByRole('button', { name: 'End', exact: true }).first().click();
  await page.getByText('Allowed in advance', { exact: true }).first().waitFor({ state: 'detached', ...SOON });
  expect((await read<{ items: unknown[] }>(page, home(), '/api/patterns')).items).toEqual([]);
});

test('a rule is built as a form, tried, and refuses what it forbids; edited and deleted with a way back', async () => {
  await page.getByRole('link', { name: 'Policies' }).first().click();
  await page.getByText('No rules of your own yet').waitFor(SOON);
  await page.getByRole('button', { name: 'Add a rule' }).click();
  await page.getByLabel('Name', { exact: true }).fill('no resets');
  await page.getByLabel('What', { exact: true }).selectOption('role');
  await page.getByLabel('Role', { exact: true }).selectOption('account.unlock');
  await page.getByLabel(/^Why/).fill('The office unlocks.');
  await page.getByText('forbid(principal, action in Action::"role:account.unlock", resource);').waitFor(SOON);
  const attempt = page.getByRole('region', { name: 'Try it on a call' });
  await attempt.getByLabel('Tool').selectOption('larkfield_accounts__unlock_account');
  await attempt.getByLabel('customer_id').fill('7');
  await attempt.getByRole('button', { name: 'What would happen?' }).click();
  await attempt.getByText('It would not happen').waitFor(SOON);
  expect(await attempt.getByText('The office unlocks.').count()).toBeGreaterThan(0);
  expect((await read<{ items: { origin: string }[] }>(page, home(), '/api/policies')).items.some(({ origin }) => origin === 'workspace')).toBe(false);
  await page.getByRole('button', { name: 'Save the rule' }).click();
  await page.getByRole('heading', { name: 'no-resets' }).waitFor(SOON);
  await page.getByText('Forbids tools with the role account.unlock.').waitFor(SOON);

  await page.goto(`${home()}/policies`);
  await page.getByRole('button', { name: 'Edit no-resets' }).click(SOON);
  expect(await page.getByLabel('Role', { exact: true }).inputValue()).toBe('account.unlock');
  await page.getByLabel('The rule', { exact: true }).selectOption('ask');
  await page.getByRole('button', { name: 'Save the rule' }).click();
  await page.getByText('Leaves to a human tools with the role account.unlock.').waitFor(SOON);
  await page.getByRole('button', { name: 'Delete no-resets' }).click();
  await page.getByText('no-resets was deleted.').waitFor(SOON);
  await page.getByText('No rules of your own yet').waitFor(SOON);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('heading', { name: 'no-resets' }).waitFor(SOON);

  await page.getByRole('button', { name: 'Write Cedar' }).click();
  await page.getByLabel('Name', { exact: true }).fill('broken');
  await page.getByLabel('Rules in Cedar').fill('forbid(principal, action, resource)\nwhen { context.horoscope == "bad" };');
  await page.getByRole('button', { name: 'Save the rule' }).click();
  await page.getByRole('alert').getByText(/line 2, column/).waitFor(SOON);
  await page.getByRole('button', { name: 'Cancel' }).click();
});

test('a model is set in the console, tried, and answers the next ticket; its calls can be read', async () => {
  await page.getByRole('link', { name: 'Settings' }).first().click();
  await page.getByRole('link', { name: 'Models' }).click();
  await page.getByText('Gaby works with her built-in brain').waitFor(SOON);
  await page.getByRole('button', { name: 'Add a model' }).click();
  await page.getByLabel('Provider').selectOption('openai-compatible');
  await group('Asked first').getByLabel('Model', { exact: true }).fill('small');
  await group('Asked first').getByLabel('Address').fill('http://127.0.0.1:9/v1');
  await group('Asked first').getByLabel(/^Key/).fill(KEY);
  await page.getByRole('button', { name: 'Test' }).click();
  await page.getByText(/It does not work: .*Is it running/).waitFor(SOON);
  await group('Asked first').getByLabel('Address').fill(stub.url);
  await page.getByRole('button', { name: 'Test' }).click();
  await page.getByText(/It works: answers/).waitFor(SOON);
  await page.getByLabel('Tokens in a day').fill('100000');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText(/^Saved/).waitFor(SOON);
  await page.reload();
  await page.getByText('A key is stored. Leave empty to keep it.').waitFor(SOON);
  expect(await page.content()).not.toContain(KEY);

  const { json } = await ask('/api/tickets', { subject: 'How long?', body: 'For how long is an account locked after wrong passwords?' });
  await page.goto(`${home()}/inbox/${json.id ?? ''}`);
  await page.getByText('Language model').first().waitFor(SOON);
  await page.getByText('A locked account can be unlocked by our support.').first().waitFor(SOON);
  await page.getByText(/^Look into it, step/).first().click(SOON);
  await page.getByText('What it was asked').first().waitFor(SOON);

  await page.goto(`${home()}/settings/models`);
  await page.getByRole('button', { name: 'Remove everything set here' }).click(SOON);
  await page.getByRole('button', { name: 'Yes, remove it' }).click();
  await page.getByText('Gaby works with her built-in brain').waitFor(SOON);
});

test('what a connector may be used for is said, is in its log, and can be taken back', async () => {
  await page.getByRole('link', { name: 'Connectors' }).first().click();
  const scope = page.getByLabel('What it may be used for').first();
  await scope.selectOption('read_only', SOON);
  await page.getByText('Who granted what').first().click();
  await page.getByText('Connected', { exact: true }).first().waitFor(SOON);
  const { items } = await read<{ items: { grant: { scope: string } }[] }>(page, home(), '/api/connectors');
  expect(items[0]?.grant.scope).toBe('read_only');
  await page.getByRole('button', { name: 'Take back' }).first().click();
  await page.getByRole('textbox').first().fill('The contract ended.');
  await page.getByRole('button', { name: 'Take it back now' }).click();
  await page.getByText(/The contract ended/).first().waitFor(SOON);
  await scope.selectOption('read_write', SOON);
  await page.getByText(/Taken back, nothing is called/).waitFor({ state: 'detached', ...SOON });
});

const LOOKS = [
  ['light, on a desk', { viewport: { width: 1280, height: 800 } }],
  ['dark, on a phone', { ...PHONE, colorScheme: 'dark' as const }],
] as const;

test.each(LOOKS)('axe finds nothing to improve on the new screens, and nothing is wider than they are: %s', async (name, look) => {
  const screen = await desk.open({ ...look, reducedMotion: 'reduce' });
  await signIn(screen, home(), BOSS.email);
  const found: string[] = [];
  const check = async (place: string) => {
    const shots = process.env['GABY_SHOTS'];
    if (shots) {
      await screen.evaluate(() => document.fonts.ready);
      await screen.screenshot({ path: `${shots}/${place.replaceAll(/\W+/g, '-')}-${name.replaceAll(/\W+/g, '-')}.png` });
      const long = await screen.evaluate(() => {
        const pane = document.querySelector<HTMLElement>('[role=region].overflow-y-auto');
        if (!pane || pane.scrollHeight <= pane.clientHeight) return false;
        pane.scrollTop = pane.scrollHeight;
        return true;
      });
      if (long) await screen.screenshot({ path: `${shots}/${place.replaceAll(/\W+/g, '-')}-end-${name.replaceAll(/\W+/g, '-')}.png` });
    }
    const wide = await screen.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) found.push(`${place} is ${wide} px wider than the screen`);
    found.push(...(await violations(screen)).map((text) => `${place} ${text}`));
  };
  await screen.goto(`${home()}/settings/models`);
  await screen.getByText('Gaby works with her built-in brain').waitFor(SOON);
  await check('no model');
  await screen.getByRole('button', { name: 'Add a model' }).click();
  await screen.getByLabel('Provider').selectOption('bedrock');
  await screen.getByRole('button', { name: /Add another/ }).click();
  await screen.getByText('Different for a purpose').click();
  await check('models being set');
  await screen.goto(`${home()}/policies`);
  await screen.getByRole('heading', { name: 'no-resets' }).waitFor(SOON);
  await screen.evaluate(() => {
    for (const part of document.querySelectorAll('details')) part.open = true;
  });
  await check('policies');
  await screen.getByRole('button', { name: 'Add a rule' }).click();
  await screen.getByLabel('What', { exact: true }).selectOption('tool');
  await screen.getByRole('group').first().waitFor(SOON);
  await screen.getByLabel('Tool', { exact: true }).first().selectOption('larkfield_accounts__unlock_account');
  await screen.getByLabel('Name', { exact: true }).fill('mine');
  await screen.getByRole('button', { name: 'Add a condition' }).click();
  await screen.getByLabel('Value').fill('7');
  const attempt = screen.getByRole('region', { name: 'Try it on a call' });
  await attempt.getByLabel('customer_id').fill('7');
  await attempt.getByRole('button', { name: 'What would happen?' }).click();
  await attempt.getByText('It would not happen').waitFor(SOON);
  await check('a rule being built');
  await screen.getByRole('button', { name: 'Cancel' }).click();
  await screen.getByRole('button', { name: 'Write Cedar' }).click();
  await check('a rule as text');
  await screen.context().close();
  expect(found.join('\n\n')).toBe('');
});
