/**
 * Runs before every test file. What a test waits for has time to come, because a slow machine is not wrong; the libraries' own
 * limits are a second. Nothing waits for longer than it takes.
 */
import { vi } from 'vitest';

/** After which something that has not come is taken for lost. */
const LOST_MS = 15_000;

const { waitFor } = vi;
vi.waitFor = (probe, options) =>
  waitFor(probe, typeof options === 'number' ? options : { timeout: LOST_MS, ...options });

if (typeof document !== 'undefined') {
  const { configure } = await import('@testing-library/dom');
  configure({ asyncUtilTimeout: LOST_MS });
}
