import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // The units run on a fake core, but with the real views; `test/built` runs what was built.
  resolve: {
    alias: { 'chat-core': here('test/fake-core.ts'), 'chat-view': here('test/built-view.ts') },
  },
  test: { include: ['test/**/*.test.{ts,tsx,mjs}'], restoreMocks: true, unstubGlobals: true },
});
