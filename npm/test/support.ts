/** What several test files need. */
import { vi } from 'vitest';
import { configure } from '../lib/config.js';
import { core } from './fake-core.js';

export { core };

/** A page that was never configured, and a core that nobody has used. */
export function fresh(): void {
  core.reset();
  configure({
    gatewayUrl: undefined,
    websocketUrl: undefined,
    apiKey: undefined,
    getToken: undefined,
    requestTimeout: undefined,
    WebSocket: undefined,
  });
  globalThis.localStorage?.clear();
}

/** Resolves with the first value that is there. */
export function appears<T>(read: () => T | undefined): Promise<T> {
  return vi.waitFor(() => {
    const value = read();
    if (value === undefined) {
      throw new Error('not there yet');
    }
    return value;
  });
}

/** Lets everything that is already under way settle: the core's start takes several turns. */
export async function settled(): Promise<void> {
  const { loadCore } = await import('../lib/core.js');
  await loadCore().catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve));
}

export const ann = { userId: 'ann', connectedAt: '2024-01-15T10:30:00.000Z', domain: 'a.example' };
export const bob = { userId: 'bob', connectedAt: '2024-01-15T10:31:00.000Z' };
