// @vitest-environment node
/**
 * What `npm run build` made, with the real core: both module systems of Node, and requests to a
 * small HTTP server. Browsers and bundlers are tested from outside, on the packed package.
 */
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { NAME, type Package, requestTests } from './behaviour.js';

const require = createRequire(import.meta.url);

const systems: [string, () => Promise<Package>][] = [
  ['import', () => import(/* @vite-ignore */ NAME) as Promise<Package>],
  ['require', async () => require(NAME) as Package],
];

for (const [system, load] of systems) {
  test(`${system}: the public names are there`, async () => {
    const chat = await load();
    expect(Object.keys(chat).filter((name) => name !== 'default').sort()).toEqual([
      'ChatAPI',
      'ChatError',
      'ChatWebSocket',
      'configure',
      'createOnlineUsersStore',
    ]);
    const part = async (name: string): Promise<string[]> => {
      const module: object =
        system === 'import'
          ? await import(/* @vite-ignore */ `${NAME}/${name}`)
          : require(`${NAME}/${name}`);
      return Object.keys(module);
    };
    expect(await part('react')).toContain('useOnlineUsers');
    expect(await part('vue')).toContain('useOnlineUsers');
    expect(await part('svelte')).toContain('onlineUsers');
    expect(await part('no-wasm')).toContain('startCore');
  });

  requestTests(system, load);
}
