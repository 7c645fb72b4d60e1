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
      'configure',
      'createConversation',
      'createOnlineUsersStore',
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

/** A WebSocket to a server that lets everybody in, and answers with empty lists. */
class ReadySocket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;

  constructor() {
    setTimeout(() => this.onopen?.());
    this.#say('0{"sid":"e","pingInterval":25000,"pingTimeout":20000}');
  }

  send(frame: string): void {
    this.#say(frame.startsWith('40') ? '40{"sid":"s"}' : '42["online_users_list",{"users":[]}]');
  }

  close(): void {}

  #say(data: string): void {
    setTimeout(() => this.onmessage?.({ data }));
  }
}

test('a store that is closed while it is live asks for nothing more', async () => {
  const { ChatAPI, configure, createOnlineUsersStore } = (await import(NAME)) as Package;
  const { url } = await serve(200, '{"users":[]}');
  // Asked before each request, so it counts also those that have not left yet.
  const getToken = vi.fn(() => 'key');
  configure({ gatewayUrl: url, getToken, WebSocket: ReadySocket });
  stops.push(() => configure({ getToken: undefined, WebSocket: undefined }));
  const store = createOnlineUsersStore('42');
  store.subscribe(() => {});
  await vi.waitFor(() => expect(store.getSnapshot().isConnected).toBe(true));
  const before = getToken.mock.calls.length;
  store.close();
  await new ChatAPI('42').getOnlineUsers();
  expect(getToken.mock.calls.length).toBe(before + 1);
});

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
