// @vitest-environment node
/**
 * What `npm run build` made, with the real core: both module systems of Node, and requests to a
 * small HTTP server. Browsers and bundlers are tested from outside, on the packed package.
 */
import { createRequire } from 'node:module';
import { build } from 'esbuild';
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
      'WebSocketOrPolling',
      'configure',
      'createConversation',
      'createConversations',
      'createOnlineHistory',
      'createOnlineUsersStore',
      'followVisit',
    ]);
    const part = async (name: string): Promise<string[]> => {
      const module: object =
        system === 'import'
          ? await import(/* @vite-ignore */ `${NAME}/${name}`)
          : require(`${NAME}/${name}`);
      return Object.keys(module);
    };
    expect(await part('react')).toEqual(
      expect.arrayContaining(['useConversation', 'useOnlineUsers']),
    );
    expect(await part('vue')).toContain('useOnlineUsers');
    expect(await part('svelte')).toContain('onlineUsers');
    expect(await part('no-wasm')).toContain('startCore');
  });

  requestTests(system, load);
}

/** The files of the package that a bundle without splitting has something of. */
async function bundled(contents: string): Promise<string[]> {
  const resolveDir = new URL('../..', import.meta.url).pathname;
  const { metafile } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    external: ['react'],
    format: 'esm',
    metafile: true,
    write: false,
  });
  const [output] = Object.values(metafile.outputs);
  return Object.entries(output?.inputs ?? {})
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => file.replace(/.*\//, ''));
}

test('who uses the list alone does not carry the views, even in a single file', async () => {
  const hook = await bundled(`export { useOnlineUsers } from '${NAME}/react'`);
  expect(hook).toContain('shared.js');
  expect(hook).not.toContain('view.js');
  expect(await bundled(`export { useOnlineUsersView } from '${NAME}/react'`)).toContain('view.js');
});
