// @vitest-environment node
/**
 * What `npm run build` made, with the real core: both module systems of Node, and requests to a
 * small HTTP server. Browsers and bundlers are tested from outside, on the packed package.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { build } from 'esbuild';
import { afterEach, expect, test, vi } from 'vitest';

type Package = typeof import('../../lib/index.js');

const require = createRequire(import.meta.url);
const NAME = '@amoiq/chat-widget';

const systems: [string, () => Promise<Package>][] = [
  ['import', () => import(/* @vite-ignore */ NAME) as Promise<Package>],
  ['require', async () => require(NAME) as Package],
];

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) {
    stop();
  }
});

/** Answers every request with the same, on a port of its own. */
async function serve(status: number, body: string) {
  const requests: Pick<IncomingMessage, 'method' | 'url' | 'headers'>[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('the server has no port');
  }
  return { url: `http://127.0.0.1:${address.port}`, requests };
}

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
    const react: object =
      system === 'import'
        ? await import(/* @vite-ignore */ `${NAME}/react`)
        : require(`${NAME}/react`);
    expect(Object.keys(react)).toEqual(
      expect.arrayContaining(['useConversation', 'useOnlineUsers']),
    );
  });

  test(`${system}: the core asks for the list, and keeps fields that it does not know`, async () => {
    const { ChatAPI, configure } = await load();
    const users = [{ userId: 'änn', connectedAt: '2024-01-15T10:30:00.000Z', plan: 'gold' }];
    const { url, requests } = await serve(200, JSON.stringify({ users }));
    configure({ gatewayUrl: `${url}/`, websocketUrl: undefined, apiKey: 'key' });
    expect(await new ChatAPI('42').getOnlineUsers()).toEqual(users);
    expect(requests).toMatchObject([
      {
        method: 'GET',
        url: '/api/chat/online-users?tenantId=42',
        headers: { authorization: 'Bearer key', 'x-tenant-id': '42' },
      },
    ]);
  });

  test(`${system}: a failed request rejects with its code`, async () => {
    const { ChatAPI, ChatError, configure } = await load();
    const cases: [number, string, string][] = [
      [403, '{"error":"Not yours.","code":"WRONG_TENANT"}', 'WRONG_TENANT'],
      [503, 'no JSON', 'UNAVAILABLE'],
      [200, '{"users":7}', 'INVALID_RESPONSE'],
      [200, '<html>', 'INVALID_RESPONSE'],
    ];
    for (const [status, body, code] of cases) {
      configure({ gatewayUrl: (await serve(status, body)).url });
      const error: unknown = await new ChatAPI('42').getOnlineUsers().catch((e: unknown) => e);
      expect(error).toBeInstanceOf(ChatError);
      expect(error).toMatchObject({ code });
    }
    const { url } = await serve(200, '');
    for (const stop of stops.splice(0)) {
      stop();
    }
    configure({ gatewayUrl: url });
    await expect(new ChatAPI('42').getOnlineUsers()).rejects.toMatchObject({
      code: 'NETWORK_ERROR',
    });
  });

  test(`${system}: a view shows what is polled`, async () => {
    // As much of a page as the store looks for.
    vi.stubGlobal('window', globalThis);
    vi.stubGlobal('WebSocket', class {});
    const { configure, createOnlineUsersStore } = await load();
    const user = (userId: string) => ({ userId, connectedAt: '2024-01-15T10:30:00.000Z' });
    const { url } = await serve(200, JSON.stringify({ users: ['cy', 'bob', 'ann'].map(user) }));
    configure({ gatewayUrl: url });
    const store = createOnlineUsersStore('42', { enableWebSocket: false });
    const view = store.view({ sort: 'userId', search: 'n O', limit: 1 });
    stops.push(view.subscribe(() => {}));
    view.update({ sort: 'userId', offset: 1, limit: 1 });
    await vi.waitFor(() => expect(view.getSnapshot().isLoading).toBe(false));
    expect(view.getSnapshot()).toMatchObject({ users: [user('bob')], offset: 1, total: 3 });
  });
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
