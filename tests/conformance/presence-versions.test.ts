/** Presence by versions, which is ours: who asks for it in CONNECT gets it, and for all others nothing is new. */
import { describe, expect, test } from 'vitest';
import { ADMIN_KEY, type Backend, startServer, TENANT } from '../support/backends.ts';
import { type ClientOptions, OfficialClient, type OnlineUser, TRANSPORTS } from '../support/official-client.ts';
import { RedisServer } from '../support/redis.ts';
import { until } from '../support/until.ts';

interface Cursor {
  readonly epoch: number;
  readonly version: number;
}

interface Delta extends Cursor {
  readonly since: Cursor;
  readonly online: readonly OnlineUser[];
  readonly offline: readonly string[];
}

type List = Cursor & { readonly users: readonly OnlineUser[] };

const noGrace = ['--offline-grace', '10ms'];
const asks = { auth: { presence: 1 } };
const nothingKnown: Cursor = { epoch: 0, version: 0 };
const cursorOf = ({ epoch, version }: Cursor): Cursor => ({ epoch, version });

/** An official client's page that follows the rules for versions. */
class Dashboard {
  readonly client: OfficialClient;
  readonly users = new Map<string, OnlineUser>();
  at = nothingKnown;
  /** How often it could not go on from what it knew. */
  gaps = 0;
  /** Which answers it got, in order. */
  readonly answers: ('list' | 'delta')[] = [];

  private constructor(client: OfficialClient) {
    this.client = client;
    client.socket.on('connect', () => this.ask());
    client.socket.on('online_users_list', (list: List) => {
      this.answers.push('list');
      this.users.clear();
      this.#take(list, list.users);
    });
    client.socket.on('presence_delta', (delta: Delta) => this.#apply(delta));
  }

  static async open(url: string, options: ClientOptions = {}): Promise<Dashboard> {
    const client = await OfficialClient.admin(url, { ...asks, ...options });
    const dashboard = new Dashboard(client);
    dashboard.ask();
    await until('the list', () => dashboard.answers.length > 0);
    return dashboard;
  }

  ask(): void {
    this.client.socket.emit('get_online_users', { tenantId: TENANT, ...this.at });
  }

  /** Waits until exactly these are online. */
  async shows(...userIds: string[]): Promise<void> {
    const wanted = userIds.map((id) => `anonymous-${id}`).sort();
    await until(`${wanted} among ${JSON.stringify(this.client.heard)}`, () => {
      const shown = [...this.users.keys()].sort();
      return shown.length === wanted.length && shown.every((id, index) => id === wanted[index]);
    });
  }

  #apply(delta: Delta): void {
    const { since } = delta;
    const same = since.epoch === this.at.epoch && since.version === this.at.version;
    const within =
      [since.epoch, delta.epoch].every((epoch) => epoch === this.at.epoch) &&
      since.version <= this.at.version &&
      this.at.version <= delta.version;
    if (!same && !within) {
      this.gaps += 1;
      return;
    }
    this.answers.push('delta');
    for (const userId of delta.offline) this.users.delete(userId);
    this.#take(delta, delta.online);
  }

  #take(state: Cursor, users: readonly OnlineUser[]): void {
    for (const user of users) this.users.set(user.userId, user);
    this.at = cursorOf(state);
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

async function request(url: string, query: string): Promise<Response> {
  return fetch(`${url}/api/chat/online-users?tenantId=${TENANT}${query}`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  });
}

const changesSince = async (url: string, { epoch, version }: Cursor): Promise<List | Delta> =>
  (await (await request(url, `&epoch=${epoch}&version=${version}`)).json()) as List | Delta;

const stores: Record<string, () => Promise<{ server: Backend } & AsyncDisposable>> = {
  'in memory': async () => {
    const server = await startServer({ args: noGrace });
    return { server, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  },
  'on Redis': async () => {
    const redis = await RedisServer.start();
    const server = await startServer({ args: [...noGrace, '--redis-url', redis.url] });
    return {
      server,
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await redis[Symbol.asyncDispose]();
      },
    };
  },
};

for (const [where, start] of Object.entries(stores)) {
  describe(where, () => {
    for (const [kind, socket] of Object.entries(TRANSPORTS)) {
      test(`who asks follows by deltas alone, ${kind}`, async () => {
        await using scene = await start();
        const { url } = scene.server;
        using dashboard = await Dashboard.open(url, { socket });
        using visitor = await OfficialClient.visitor(url, 'v1');
        await dashboard.shows('v1');
        expect(dashboard.users.get('anonymous-v1')?.sessionId).toBe(visitor.id);
        using _other = await OfficialClient.visitor(url, 'v2');
        visitor.close();
        await dashboard.shows('v2');
        const heard = dashboard.client.heard.map(({ event }) => event);
        expect(new Set(heard)).toEqual(new Set(['online_users_list', 'presence_delta']));
        expect(dashboard.answers.filter((answer) => answer === 'list')).toHaveLength(1);
        expect(dashboard.gaps).toBe(0);
      });
    }

    test('who does not ask hears what was always said', async () => {
      await using scene = await start();
      const { url } = scene.server;
      using dashboard = await Dashboard.open(url);
      using plain = await OfficialClient.admin(url);
      using other = await OfficialClient.admin(url, { auth: { presence: '1' } });
      using visitor = await OfficialClient.visitor(url, 'v1', { query: { domain: 'a' } });
      await dashboard.shows('v1');
      for (const admin of [plain, other]) {
        const shown = await admin.online('anonymous-v1');
        expect(Object.keys(shown)).toEqual(['userId', 'sessionId', 'connectedAt', 'domain']);
        expect(await admin.list()).toEqual([shown]);
        expect(Object.keys(admin.all<object>('online_users_list')[0] ?? {})).toEqual(['users']);
      }
      visitor.close();
      for (const admin of [plain, other]) {
        expect(await admin.offline('anonymous-v1')).toEqual({ userId: 'anonymous-v1' });
        expect(admin.all('presence_delta')).toEqual([]);
      }
      expect(await (await request(url, '')).text()).toBe('{"users":[]}');
    });

    test('who was away is told what has changed', async () => {
      await using scene = await start();
      const { url } = scene.server;
      using plain = await OfficialClient.admin(url);
      using _staying = await OfficialClient.visitor(url, 'v1');
      using leaving = await OfficialClient.visitor(url, 'v2');
      using dashboard = await Dashboard.open(url);
      await dashboard.shows('v1', 'v2');
      const lists = () => dashboard.answers.filter((answer) => answer === 'list').length;
      const before = lists();

      dashboard.client.socket.disconnect();
      leaving.close();
      await plain.offline('anonymous-v2');
      using _coming = await OfficialClient.visitor(url, 'v3');
      await plain.online('anonymous-v3');
      dashboard.client.socket.connect();
      await dashboard.shows('v1', 'v3');
      expect(lists()).toBe(before);

      // What it says it knows has never been.
      dashboard.at = { epoch: dashboard.at.epoch, version: dashboard.at.version + 100 };
      dashboard.ask();
      // It need not be the last word: what all are told of who came may be on its way still.
      await until('a list', () => lists() > before);
      await dashboard.shows('v1', 'v3');
    });

    test('a delta that cannot be applied is a reason to ask', async () => {
      await using scene = await start();
      const { url } = scene.server;
      using dashboard = await Dashboard.open(url);
      // It has lost what it knew.
      dashboard.at = { epoch: 1, version: 1 };
      using _visitor = await OfficialClient.visitor(url, 'v1');
      await until('a gap', () => dashboard.gaps > 0);
      dashboard.ask();
      await dashboard.shows('v1');
      expect(dashboard.answers.at(-1)).toBe('list');
      using _next = await OfficialClient.visitor(url, 'v2');
      await dashboard.shows('v1', 'v2');
      expect(dashboard.answers.at(-1)).toBe('delta');
    });

    test('requests go on from a version, too', async () => {
      await using scene = await start();
      const { url } = scene.server;
      using plain = await OfficialClient.admin(url);
      using _first = await OfficialClient.visitor(url, 'v1');
      const shown = await plain.online('anonymous-v1');
      const list = await changesSince(url, nothingKnown);
      expect(list).toEqual({ users: [shown], ...cursorOf(list) });
      expect(await changesSince(url, list)).toEqual({
        ...cursorOf(list),
        since: cursorOf(list),
        online: [],
        offline: [],
      });
      using _second = await OfficialClient.visitor(url, 'v2');
      const come = await plain.online('anonymous-v2');
      const delta = await changesSince(url, list);
      expect(delta).toMatchObject({ since: cursorOf(list), online: [come], offline: [] });
      expect((await request(url, '&epoch=1&version=1&limit=5')).status).toBe(400);
    });
  });
}

test('the versions of one node are those of another', async () => {
  await using redis = await RedisServer.start();
  const args = [...noGrace, '--redis-url', redis.url];
  await using here = await startServer({ args: ['ws', ...args] });
  await using there = await startServer({ args: ['ws', ...args] });
  await using api = await startServer({ args: ['api', ...args] });
  using first = await Dashboard.open(here.url);
  using second = await Dashboard.open(there.url);
  const known = await changesSince(api.url, nothingKnown);
  using _one = await OfficialClient.visitor(here.url, 'v1');
  using _two = await OfficialClient.visitor(there.url, 'v2');
  for (const dashboard of [first, second]) await dashboard.shows('v1', 'v2');
  expect(second.at).toEqual(first.at);
  // It hears of them by itself.
  await until('the same state over HTTP', async () => {
    const delta = await changesSince(api.url, known);
    expect(delta).toMatchObject({ since: cursorOf(known) });
    return delta.version === first.at.version && delta.epoch === first.at.epoch;
  });

  // What one knows from here leads on there.
  const earlier = first.at;
  using _three = await OfficialClient.visitor(here.url, 'v3');
  await second.shows('v1', 'v2', 'v3');
  const answered = second.answers.length;
  second.at = earlier;
  second.ask();
  await until('an answer', () => second.answers.length > answered);
  await second.shows('v1', 'v2', 'v3');
  expect(second.answers.filter((answer) => answer === 'list')).toHaveLength(1);
});
