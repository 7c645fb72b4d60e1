// @vitest-environment happy-dom
/** The online-users store: when it works, what it shows, and how often it says so. */
import { beforeEach, expect, test, vi } from 'vitest';
import { ChatError, configure, createOnlineUsersStore } from '../lib/index.js';
import { ann, appears, bob, core, fresh, settled } from './support.js';

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example', apiKey: 'key' });
});

const feed = (at = 0) => appears(() => core.feeds[at]);
const open: (() => void)[] = [];
const follow = (store: ReturnType<typeof createOnlineUsersStore>, listener = () => {}) => {
  const leave = store.subscribe(listener);
  open.push(leave);
  return leave;
};

beforeEach(async () => {
  for (const leave of open.splice(0)) {
    leave();
  }
  await settled();
  core.reset();
});

test('nothing happens before the first subscriber, and all ends after the last', async () => {
  const store = createOnlineUsersStore('42');
  await settled();
  expect(core.feeds).toEqual([]);
  const [one, two] = [follow(store), follow(store)];
  const made = await feed();
  expect(made.config).toMatchObject({ tenantId: '42', admin: true, website: {} });
  expect(made).toMatchObject({ socket: true, interval: 5000 });
  one();
  await settled();
  expect(made.closed).toBe(false);
  two();
  await settled();
  expect(made.closed).toBe(true);
  expect(core.feeds).toHaveLength(1);
});

test('leaving and coming back at once keeps the connection', async () => {
  const store = createOnlineUsersStore('42');
  follow(store)();
  const leave = follow(store);
  const made = await feed();
  leave();
  follow(store);
  await settled();
  expect(core.feeds).toEqual([made]);
  expect(made.closed).toBe(false);
});

test('a subscriber that has left before the core came leaves nothing behind', async () => {
  follow(createOnlineUsersStore('42'))();
  await settled();
  expect(core.feeds.filter(({ closed }) => !closed)).toEqual([]);
});

test('the list is asked for before the core has started, as whoever the key names', async () => {
  // The module that all tests here share has started already; another copy has not.
  vi.resetModules();
  const sdk = await import('../lib/index.js');
  const fake = await import('./fake-core.js');
  sdk.configure({ gatewayUrl: 'https://api.example', apiKey: 'key' });
  open.push(sdk.createOnlineUsersStore('42').subscribe(() => {}));
  const made = await appears(() => fake.core.feeds[0]);
  expect(fake.core.ahead).toEqual([[{ token: 'key' }, 0]]);
  expect(made.config.ahead).toBe('under way');
});

test('nothing is asked ahead where nothing is fetched unasked, or a token is the application’s to give', async () => {
  follow(createOnlineUsersStore('42', { autoRefresh: false }));
  await feed();
  configure({ getToken: () => 'token' });
  follow(createOnlineUsersStore('43'));
  await feed(1);
  expect(core.ahead).toEqual([]);
});

test('what is configured in the turn of the first subscription counts', async () => {
  configure({ gatewayUrl: '' });
  // In React, a part of the page subscribes before the effects of those around it.
  follow(createOnlineUsersStore('42'));
  configure({ gatewayUrl: 'https://api.example', getToken: () => 'token' });
  const { config } = await feed();
  expect(config.apiUrl).toBe('https://api.example');
  expect(core.ahead).toEqual([]);
});

test('with what is no token nothing is asked ahead: the core says so', async () => {
  configure({ apiKey: 'schlüssel' });
  follow(createOnlineUsersStore('42'));
  const { config } = await feed();
  expect(core.ahead).toEqual([]);
  await expect(config.credentials()).rejects.toMatchObject({ code: 'TOKEN_UNAVAILABLE' });
});

test('where nothing can be asked ahead the core starts all the same', async () => {
  vi.spyOn(core.ahead, 'push').mockImplementation(() => {
    throw new TypeError('AbortSignal.timeout is not a function');
  });
  const store = createOnlineUsersStore('42');
  follow(store);
  (await feed()).become({ users: [ann], isLoading: false, status: 'live' });
  expect(store.getSnapshot()).toMatchObject({ onlineUsers: [ann], error: null, isConnected: true });
});

test('a list that nobody waits for any more answers nobody later', async () => {
  const leave = follow(createOnlineUsersStore('42'));
  follow(createOnlineUsersStore('42', { autoRefresh: false }));
  leave();
  const made = await feed();
  expect(core.ahead).toHaveLength(1);
  expect(made.interval).toBe(Infinity);
  expect(made.config.ahead).toBeUndefined();
});

test('a snapshot stays the same object until something changes', async () => {
  const store = createOnlineUsersStore('42');
  const listener = vi.fn();
  const first = store.getSnapshot();
  expect(first).toEqual({
    onlineUsers: [],
    isLoading: true,
    error: null,
    isConnected: false,
    connection: { state: 'connecting', error: null },
  });
  follow(store, listener);
  const made = await feed();
  await settled();
  expect(store.getSnapshot()).toBe(first);

  const users = [ann];
  made.become({ users, isLoading: false, status: 'live' });
  const second = store.getSnapshot();
  expect(second).toEqual({
    onlineUsers: users,
    isLoading: false,
    error: null,
    isConnected: true,
    connection: { state: 'live', error: null },
  });
  expect(second.onlineUsers).toBe(users);
  made.tell();
  expect(store.getSnapshot()).toBe(second);
  expect(listener).toHaveBeenCalledTimes(1);
});

test('an error keeps the last list', async () => {
  const store = createOnlineUsersStore('42');
  follow(store);
  const made = await feed();
  made.become({ users: [ann], isLoading: false, status: 'live' });
  const error = new ChatError('NETWORK_ERROR', 'gone');
  made.become({ error, why: error, status: 'backoff' });
  expect(store.getSnapshot()).toEqual({
    onlineUsers: [ann],
    isLoading: false,
    error,
    isConnected: false,
    connection: { state: 'backoff', error },
  });
});

test('the connection says where it stands and why, as the same object while that is the same', async () => {
  const store = createOnlineUsersStore('42');
  follow(store);
  const made = await feed();
  const why = new ChatError('TIMEOUT', 'silent');
  made.become({ isLoading: false, status: 'polling', why });
  const { connection, error } = store.getSnapshot();
  expect(connection).toEqual({ state: 'polling', error: why });
  expect(error).toBeNull();
  made.become({ isLoading: true });
  expect(store.getSnapshot().connection).toBe(connection);
  made.become({ status: 'live', why: undefined });
  expect(store.getSnapshot()).toMatchObject({ isConnected: true, connection: { error: null } });
});

test('nobody follows: nothing is under way', async () => {
  const store = createOnlineUsersStore('42');
  const leave = follow(store);
  (await feed()).become({ status: 'live', isLoading: false });
  leave();
  await settled();
  expect(store.getSnapshot()).toMatchObject({
    isConnected: false,
    connection: { state: 'idle', error: null },
  });
  expect(store.getServerSnapshot().connection).toEqual({ state: 'idle', error: null });
});

test('what cannot start is closed, and says why', async () => {
  configure({ gatewayUrl: 'nonsense' });
  const store = createOnlineUsersStore('42');
  follow(store);
  await appears(() => store.getSnapshot().error ?? undefined);
  expect(store.getSnapshot().connection).toMatchObject({
    state: 'closed',
    error: { code: 'INVALID_CONFIG' },
  });
});

test('a list that became empty is empty', async () => {
  const store = createOnlineUsersStore('42');
  follow(store);
  const made = await feed();
  made.become({ users: [ann], isLoading: false });
  made.become({ users: [] });
  expect(store.getSnapshot().onlineUsers).toEqual([]);
});

test('a list that became empty is empty even while something else is wrong', async () => {
  const store = createOnlineUsersStore('42');
  follow(store);
  const made = await feed();
  const error = new ChatError('ORIGIN_NOT_ALLOWED', 'no socket');
  made.become({ users: [ann], isLoading: false, status: 'polling', error });
  expect(store.getSnapshot().onlineUsers).toEqual([ann]);
  made.become({ users: [] });
  expect(store.getSnapshot()).toMatchObject({ onlineUsers: [], error });
});

test('stores for the same tenant and options share one connection', async () => {
  const [one, two, other] = [
    createOnlineUsersStore('42'),
    createOnlineUsersStore('42', { pollingInterval: 5000 }),
    createOnlineUsersStore('43'),
  ];
  const leave = follow(one);
  follow(two);
  const made = await feed();
  made.become({ users: [ann], isLoading: false });
  expect(two.getSnapshot().onlineUsers).toBe(one.getSnapshot().onlineUsers);
  leave();
  await settled();
  expect(made.closed).toBe(false);
  expect(core.feeds).toHaveLength(1);
  follow(other);
  expect((await feed(1)).config.tenantId).toBe('43');
});

test('stores that poll differently share one connection, and the most eager one counts', async () => {
  const leaves = [
    follow(createOnlineUsersStore('42', { pollingInterval: 60_000, autoRefresh: false })),
    follow(createOnlineUsersStore('42', { pollingInterval: 1000 })),
  ];
  const made = await feed();
  await settled();
  expect(core.feeds).toEqual([made]);
  expect(made.interval).toBe(1000);
  follow(createOnlineUsersStore('42', { pollingInterval: 500, notifyInterval: 50 }));
  expect(made.interval).toBe(500);
  leaves[1]?.();
  await settled();
  expect(made.interval).toBe(500);
  leaves[0]?.();
  await settled();
  expect(made.closed).toBe(false);
});

test('who fetches nothing unasked does not say how often others poll', async () => {
  follow(createOnlineUsersStore('42', { pollingInterval: 300, autoRefresh: false }));
  const made = await feed();
  expect(made.interval).toBe(Infinity);
  const leave = follow(createOnlineUsersStore('42', { pollingInterval: 60_000 }));
  expect(made.interval).toBe(60_000);
  leave();
  await settled();
  expect(made.interval).toBe(Infinity);
});

test('changed options start with what is known of the tenant', async () => {
  const store = createOnlineUsersStore('42');
  const leave = follow(store);
  (await feed()).become({ users: [ann, bob], isLoading: false, status: 'live' });

  const without = createOnlineUsersStore('42', { enableWebSocket: false });
  leave();
  follow(without);
  const next = await feed(1);
  expect(without.getSnapshot()).toMatchObject({
    onlineUsers: [ann, bob],
    isLoading: false,
    isConnected: false,
  });
  const error = new ChatError('NETWORK_ERROR', 'gone');
  next.become({ error });
  expect(without.getSnapshot()).toMatchObject({ onlineUsers: [ann, bob], isLoading: false, error });
  next.become({ users: [bob], isLoading: false, error: undefined });
  expect(without.getSnapshot().onlineUsers).toEqual([bob]);
});

test('options by which nothing is loaded unasked keep what is known, too', async () => {
  const leave = follow(createOnlineUsersStore('42'));
  (await feed()).become({ users: [ann, bob], isLoading: false, status: 'live' });
  const quiet = createOnlineUsersStore('42', { enableWebSocket: false, autoRefresh: false });
  leave();
  follow(quiet);
  const next = await feed(1);
  await settled();
  next.become({ isLoading: false, isListed: false, status: 'idle' });
  expect(quiet.getSnapshot()).toMatchObject({ onlineUsers: [ann, bob], isLoading: false });
  next.become({ isLoading: true, status: 'idle' });
  expect(quiet.getSnapshot()).toMatchObject({ onlineUsers: [ann, bob], isLoading: false });
  next.become({ users: [], isLoading: false });
  expect(quiet.getSnapshot().onlineUsers).toEqual([]);
});

test('the first list that is asked for is loading until it comes', async () => {
  const store = createOnlineUsersStore('42', { enableWebSocket: false, autoRefresh: false });
  expect(store.getSnapshot().isLoading).toBe(false);
  follow(store);
  const made = await feed();
  await settled();
  expect(store.getSnapshot().isLoading).toBe(false);
  made.become({ isLoading: true });
  expect(store.getSnapshot().isLoading).toBe(true);
  made.become({ isLoading: false });
  expect(store.getSnapshot().isLoading).toBe(false);
  expect(createOnlineUsersStore('43', { autoRefresh: false }).getSnapshot().isLoading).toBe(true);
});

test('refresh asks the core, and starts again what could not start', async () => {
  configure({ gatewayUrl: 'nonsense' });
  const store = createOnlineUsersStore('42');
  follow(store);
  await appears(() => store.getSnapshot().error ?? undefined);
  expect(store.getSnapshot()).toMatchObject({ isLoading: false, error: { code: 'INVALID_CONFIG' } });

  configure({ gatewayUrl: 'https://api.example' });
  await store.refresh();
  const made = await feed();
  expect(made.refreshes).toBe(1);
  made.become({ users: [ann], isLoading: false });
  expect(store.getSnapshot()).toMatchObject({ onlineUsers: [ann], error: null });
});

test('close drops everyone', async () => {
  const store = createOnlineUsersStore('42');
  const listener = vi.fn();
  follow(store, listener);
  const made = await feed();
  store.close();
  expect(made.closed).toBe(true);
  made.become({ users: [ann] });
  expect(listener).not.toHaveBeenCalled();
});

test('a changing list is shown once per interval, anything else at once', async () => {
  const store = createOnlineUsersStore('42', { notifyInterval: 60_000 });
  const listener = vi.fn();
  follow(store, listener);
  const made = await feed();
  made.become({ users: [], isLoading: false });
  listener.mockClear();
  const before = store.getSnapshot();
  made.show([ann]);
  made.show([ann, bob]);
  expect(store.getSnapshot()).toBe(before);
  expect(listener).not.toHaveBeenCalled();
  made.become({ status: 'live' });
  expect(store.getSnapshot()).toMatchObject({ onlineUsers: [ann, bob], isConnected: true });
  expect(listener).toHaveBeenCalledTimes(1);

  const quick = createOnlineUsersStore('42', { notifyInterval: 0 });
  follow(quick, listener);
  expect(core.feeds).toHaveLength(1);
  expect(quick.getSnapshot().onlineUsers).toEqual([ann, bob]);
  made.show([bob]);
  await vi.waitFor(() => expect(quick.getSnapshot().onlineUsers).toEqual([bob]));
  expect(store.getSnapshot().onlineUsers).toEqual([ann, bob]);
});
