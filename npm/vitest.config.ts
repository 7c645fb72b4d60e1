import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const fake = fileURLToPath(new URL('test/fake-core.ts', import.meta.url));

export default defineConfig({
  // The units run on a fake core; `test/built` runs what was built, with the real one.
  resolve: { alias: { 'chat-core': fake } },
  test: { include: ['test/**/*.test.{ts,tsx,mjs}'], restoreMocks: true, unstubGlobals: true },
});
