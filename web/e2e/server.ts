/** The real binary with the demo, in a folder of its own. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export type Server = { address: string; setupLink: string; stop: () => Promise<void> };

const BINARY = resolve(process.env['GABY_BIN'] ?? join(import.meta.dirname, '../../target/debug/gaby'));
const START_MS = 60_000;

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((ready) => probe.listen(0, '127.0.0.1', ready));
  const address = probe.address();
  await new Promise((closed) => probe.close(closed));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** Starts `gaby serve --demo` and waits for the one-time link on the terminal. */
export async function startServer(): Promise<Server> {
  if (!existsSync(BINARY)) throw new Error(`there is no ${BINARY}: build it with cargo build --bin gaby, or name another by GABY_BIN`);
  const folder = await mkdtemp(join(tmpdir(), 'gaby-e2e-'));
  const listen = `127.0.0.1:${await freePort()}`;
  const server = spawn(BINARY, ['serve', '--demo', '--listen', listen], { env: { ...process.env, GABY_DATA: folder }, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  const ended = new Promise<void>((done) => server.once('exit', () => done()));
  const setupLink = await new Promise<string>((found, failed) => {
    const timer = setTimeout(() => failed(new Error(`no setup link within ${START_MS} ms; the server printed:\n${printed}`)), START_MS);
    const read = (chunk: Buffer) => {
      printed += chunk.toString();
      const link = /https?:\/\/\S+\/setup#token=[\w.~-]+/.exec(printed)?.[0];
      if (!link) return;
      clearTimeout(timer);
      found(link);
    };
    server.stdout.on('data', read);
    server.stderr.on('data', read);
    server.once('exit', (code) => failed(new Error(`the server ended with ${code ?? 'a signal'}:\n${printed}`)));
  });
  return {
    address: new URL(setupLink).origin,
    setupLink,
    async stop() {
      server.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
