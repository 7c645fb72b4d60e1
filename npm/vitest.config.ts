import { fileURLToPath } from 'node:url';
import { compile } from 'svelte/compiler';
import { defineConfig, type Plugin } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Compiles the one component among the tests. */
const svelte: Plugin = {
  name: 'svelte',
  transform: (source, id) =>
    id.endsWith('.svelte')
      ? { code: compile(source, { filename: id, generate: 'client' }).js.code, map: null }
      : null,
};

export default defineConfig({
  plugins: [svelte],
  // The units run on a fake core, but with the real views; `test/built` runs what was built.
  resolve: {
    alias: { 'chat-core': here('test/fake-core.ts'), 'chat-view': here('test/built-view.ts') },
    // Svelte has one form for browsers and one for servers; components are mounted as in a browser.
    conditions: ['browser', 'module', 'development|production'],
  },
  test: {
    include: ['test/**/*.test.{ts,tsx,mjs}'],
    setupFiles: ['test/setup.ts'],
    // The last resort against a test that waits for something that never comes; no test depends on it.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
