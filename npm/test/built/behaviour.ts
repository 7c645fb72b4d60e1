/** What the real core does, whichever form it has: run against each of them. */
import { createServer, type IncomingMessage } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test, vi } from 'vitest';

export type Package = typeof import('../../lib/index.js');

export const NAME = '@amoiq/chat-widget';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Defines the tests. `load` loads the package, set up so that it runs on the form in question. */
export function requestTests(form: string, load: () => Promise<Package>): void {
  test(`${form}: the core asks for the list, and keeps fields that it does not know`, async () => {
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

  test(`${form}: a failed request rejects with its code`, async () => {
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

  test(`${form}: a view shows what is polled`, async () => {
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

  test(`${form}: a message larger than the core's memory arrives whole`, async () => {
    const { ChatAPI, configure } = await load();
    const message = { id: 'm1', text: '', sender: 'user', timestamp: '', sessionId: 's1' };
    const { url, bodies } = await serve(200, JSON.stringify({ success: true, message }));
    configure({ gatewayUrl: url, apiKey: undefined });
    const text = 'ä€😀'.repeat(400_000);
    await new ChatAPI('42').sendMessage(text);
    await new ChatAPI('42').sendMessage('after it');
    expect(bodies.map((body) => (JSON.parse(body) as { text: string }).text === text)).toEqual([
      true,
      false,
    ]);
    expect(bodies[1]).toContain('"after it"');
  });

  test(`${form}: a key that is refused is shown once, whatever the visitor does meanwhile`, async () => {
    const { configure, createConversation } = await load();
    const shown: string[] = [];
    class Refusing extends OpenSocket {
      override answerTo(frame: string): string {
        shown.push(frame);
        return '44{"message":"no","data":{"code":"INVALID_API_KEY"}}';
      }
    }
    configure({ gatewayUrl: 'http://localhost', apiKey: 'key', WebSocket: Refusing });
    stops.push(() => configure({ apiKey: undefined, WebSocket: undefined }));
    let startedAt = Date.now();
    const url = 'https://shop.example/';
    const getSnapshot = () => {
      startedAt -= 1000;
      const idleSince = startedAt;
      return { url, title: '', firstPage: url, referrer: '', visits: 1, startedAt, idleSince };
    };
    const visit = { getSnapshot, subscribe: () => () => {}, close: () => {} };
    const store = createConversation('42', { visit });
    store.subscribe(() => {});
    const clientId = store.send('hi');
    await vi.waitFor(() => {
      expect(store.getSnapshot()).toMatchObject({
        error: { code: 'INVALID_API_KEY' },
        messages: [{ clientId, state: 'failed' }],
      });
    });
    expect(shown).toEqual([expect.stringContaining('"visit":{')]);
  });

  test(`${form}: a closed connection is forgotten with its client`, async () => {
    const { ChatWebSocket, configure } = await load();
    configure({ gatewayUrl: 'http://localhost', apiKey: 'key', WebSocket: OpenSocket });
    stops.push(() => configure({ WebSocket: undefined }));
    const closed = (): Promise<WeakRef<object>> =>
      new Promise((resolve) => {
        const client = new ChatWebSocket('42', {
          onConnect() {
            client.disconnect();
            resolve(new WeakRef(client));
          },
        });
      });
    const clients = [await closed(), await closed(), await closed()];
    await vi.waitFor(
      () => {
        collectGarbage();
        // The last one may still be held by what has just run.
        expect(clients.filter((client) => client.deref()).length).toBeLessThan(2);
      },
      { timeout: 10_000 },
    );
  });

  test(`${form}: a store that is closed while it is live asks for nothing more`, async () => {
    const { ChatAPI, configure, createOnlineUsersStore } = await load();
    const { url } = await serve(200, '{"users":[]}');
    // Asked before each request, so it counts those, too, that have not left yet.
    const getToken = vi.fn(() => 'key');
    configure({ gatewayUrl: url, getToken, WebSocket: OpenSocket });
    stops.push(() => configure({ getToken: undefined, WebSocket: undefined }));
    const store = createOnlineUsersStore('42');
    store.subscribe(() => {});
    await vi.waitFor(() => expect(store.getSnapshot().isConnected).toBe(true));
    const before = getToken.mock.calls.length;
    store.close();
    await new ChatAPI('42').getOnlineUsers();
    expect(getToken).toHaveBeenCalledTimes(before + 1);
  });
}

/** A WebSocket to a server that lets everybody in, and has nobody online. */
class OpenSocket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;

  constructor() {
    setTimeout(() => this.onopen?.());
    this.#hear('0{"sid":"e","pingInterval":25000,"pingTimeout":20000}');
  }

  send(frame: string): void {
    this.#hear(this.answerTo(frame));
  }

  answerTo(frame: string): string {
    return frame.startsWith('40') ? '40{"sid":"s"}' : '42["online_users_list",{"users":[]}]';
  }

  close(): void {}

  #hear(data: string): void {
    setTimeout(() => this.onmessage?.({ data }));
  }
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) {
    stop();
  }
});

/** Answers every request with the same, on a port of its own. */
export async function serve(status: number, body: string) {
  const requests: Pick<IncomingMessage, 'method' | 'url' | 'headers'>[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString());
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
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
  return { url: `http://127.0.0.1:${address.port}`, requests, bodies };
}
