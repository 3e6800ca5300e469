/** A stub model that answers by a script, served by the real binary. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BINARY } from './server';

const SAID = /The stub model is at (\S+)/;

export type Stub = { url: string; stop: () => Promise<void> };

export async function startStub(script: string): Promise<Stub> {
  const folder = await mkdtemp(join(tmpdir(), 'gaby-stub-'));
  const file = join(folder, 'script.yaml');
  await writeFile(file, script);
  const child = spawn(BINARY, ['stub-llm', '--script', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const url = await new Promise<string>((found, failed) => {
    let printed = '';
    child.once('exit', () => failed(new Error(`the stub model ended:\n${printed}`)));
    child.stderr.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      const said = SAID.exec(printed)?.[1];
      if (said) found(said);
    });
  });
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
