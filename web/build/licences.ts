/** Adds to the list of licences what the stylesheet brings in; the build itself looks at scripts only. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'vite';

export const LICENCES = 'licences.txt';
const PACKAGES = ['@fontsource-variable/inter', 'tailwindcss'];

type Manifest = { name: string; version: string; license: string };

export function licences(): Plugin {
  let modules = 'node_modules';
  return {
    name: 'gaby-licences',
    apply: 'build',
    configResolved(config) {
      modules = join(config.root, 'node_modules');
    },
    generateBundle: {
      order: 'post',
      async handler(_, bundle) {
        const list = bundle[LICENCES];
        if (list?.type !== 'asset') return this.error(`the build made no ${LICENCES}`);
        let text = typeof list.source === 'string' ? list.source : new TextDecoder().decode(list.source);
        for (const name of PACKAGES) {
          const manifest = JSON.parse(await readFile(join(modules, name, 'package.json'), 'utf8')) as Manifest;
          const licence = await readFile(join(modules, name, 'LICENSE'), 'utf8');
          text += `\n## ${manifest.name} - ${manifest.version} (${manifest.license})\n\n${licence}`;
        }
        list.source = text;
      },
    },
  };
}
