import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { compress } from './build/compress.ts';
import { LICENCES, licences } from './build/licences.ts';
import { mockApi } from './dev/mock-server.ts';

const server = process.env['GABY_URL'] ?? 'http://127.0.0.1:8080';
const mock = process.env['GABY_MOCK'] === '1';

export default defineConfig({
  plugins: [react(), tailwindcss(), licences(), compress(), ...(mock ? [mockApi()] : [])],
  build: {
    target: 'es2023',
    // The content security policy allows files of this server only: nothing may become a data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What the licences of the bundled packages ask for travels with them.
    license: { fileName: LICENCES },
  },
  server: { ...(mock ? {} : { proxy: { '/api': { target: server } } }) },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['./dev/test-setup.ts'],
    testTimeout: 30_000,
  },
});
