import { defineConfig } from 'vitest/config';

// A real server and a real browser, one after the other.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: [process.env['GABY_SCREENSHOTS'] ? 'screenshots.ts' : '*.e2e.ts'],
    testTimeout: 240_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    sequence: { concurrent: false },
    bail: 1,
  },
});
