/** The real binary, in a folder of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const BINARY = resolve(process.env['GABY_BIN'] ?? join(import.meta.dirname, '../../target/debug/gaby'));
const DEMO = join(import.meta.dirname, '../../demo');
const START_MS = 120_000;
const READY = /https?:\/\/\S+\/setup#token=[\w.~-]+|ready at (https?:\/\/\S+?)\.?\s/;

export type Server = {
  address: string;
  /** The one-time link; empty when somebody has an account already. */
  setupLink: string;
  /** Ends the process; what it keeps stays. */
  halt: () => Promise<void>;
  /** Starts it again at the same address, on what it kept. */
  resume: () => Promise<void>;
  /** Ends it and removes what it kept. */
  stop: () => Promise<void>;
};

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((ready) => probe.listen(0, '127.0.0.1', ready));
  const address = probe.address();
  await new Promise((closed) => probe.close(closed));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** Starts `gaby serve`, with the demo in `demo` if there is one. */
export async function startServer({ demo }: { demo?: string } = {}): Promise<Server> {
  if (!existsSync(BINARY)) throw new Error(`there is no ${BINARY}: build it with cargo build --bin gaby, or name another by GABY_BIN`);
  const folder = await mkdtemp(join(tmpdir(), 'gaby-e2e-'));
  const listen = `127.0.0.1:${await freePort()}`;
  const args = ['serve', '--listen', listen, '--data', folder, ...(demo ? ['--demo', '--demo-dir', demo] : [])];
  let child: ChildProcess | undefined;
  const halt = async () => {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise<void>((done) => running.once('exit', () => done()));
    running.kill('SIGTERM');
    await ended;
  };
  const start = async () => {
    const started = spawn(BINARY, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    return ready(started);
  };
  const setupLink = await start();
  return {
    address: `http://${listen}`,
    setupLink,
    halt,
    async resume() {
      await start();
    },
    async stop() {
      await halt();
      await rm(folder, { recursive: true, force: true });
      if (demo && demo !== DEMO) await rm(demo, { recursive: true, force: true });
    },
  };
}

/** Waits until the server says that it is there, and gives the one-time link if it printed one. */
function ready(server: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    let printed = '';
    const timer = setTimeout(() => failed(new Error(`not ready within ${START_MS} ms; the server printed:\n${printed}`)), START_MS);
    const read = (chunk: Buffer) => {
      printed += chunk.toString();
      const said = READY.exec(printed);
      if (!said) return;
      clearTimeout(timer);
      found(said[1] === undefined ? said[0] : '');
    };
    server.stdout?.on('data', read);
    server.stderr?.on('data', read);
    server.once('exit', (code) => {
      clearTimeout(timer);
      failed(new Error(`the server ended with ${code ?? 'a signal'}:\n${printed}`));
    });
  });
}

/** The demo that ships with Gaby, whose tickets come a second after each other. */
export async function quickDemo(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gaby-demo-'));
  await cp(DEMO, folder, { recursive: true });
  const plan = join(folder, 'demo.yaml');
  let second = 0;
  const quick = (await readFile(plan, 'utf8')).replaceAll(/after: \d+/g, () => `after: ${(second += 1)}`);
  await writeFile(plan, quick);
  return folder;
}
