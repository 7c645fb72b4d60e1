import { defineConfig } from 'vitest/config';

/** The last resort against a test that waits for something that never comes; no test depends on it. */
const timeouts = { testTimeout: 90_000, hookTimeout: 180_000, teardownTimeout: 30_000 };

export default defineConfig({
  test: {
    ...timeouts,
    projects: ['conformance', 'packaging', 'e2e'].map((name) => ({
      test: {
        name,
        ...timeouts,
        include: [`${name}/**/*.test.ts`],
        setupFiles: ['support/setup.ts'],
        // Servers and browsers are shared out among two cores on the machines that run this.
        maxWorkers: 2,
      },
    })),
  },
});
