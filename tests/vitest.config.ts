import { defineConfig } from 'vitest/config';

/** The last resort against a test that waits for something that never comes; no test depends on it. */
const timeouts = { testTimeout: 90_000, hookTimeout: 180_000, teardownTimeout: 30_000 };

/** Workers of a suite that mostly waits for grace times and leases. */
const WAITING = 3;

const suite = (name: string, include: string, globalSetup: string[], maxWorkers = 2) => ({
  test: {
    name,
    ...timeouts,
    include: [include],
    globalSetup,
    setupFiles: ['support/setup.ts'],
    // Servers and browsers share two cores on the machines that run this.
    maxWorkers,
    // Suites with as many workers may run side by side, the others one after the other.
    sequence: { groupOrder: maxWorkers },
  },
});

export default defineConfig({
  test: {
    ...timeouts,
    projects: [
      suite('conformance', 'conformance/**/*.test.ts', ['support/pack.ts']),
      suite('packaging', 'packaging/*.test.ts', ['support/pack.ts']),
      suite('e2e', 'e2e/*.test.ts', ['support/pack.ts']),
      suite('gateway', 'gateway/*.test.ts', []),
      suite('cluster', 'cluster/*.test.ts', ['support/fault-report.ts'], WAITING),
      suite('deploy', 'deploy/*.test.ts', []),
    ],
  },
});
