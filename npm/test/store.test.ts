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
  expect(made.settings).toEqual({
    enableWebSocket: true,
    pollingInterval: 5000,
    autoRefresh: true,
  });
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

test('a snapshot stays the same object until something changes', async () => {
  const store = createOnlineUsersStore('42');
  const listener = vi.fn();
  const first = store.getSnapshot();
  expect(first).toEqual({ onlineUsers: [], isLoading: true, error: null, isConnected: false });
  follow(store, listener);
  const made = await feed();
  await settled();
  expect(store.getSnapshot()).toBe(first);

  const users = [ann];
  made.become({ users, isLoading: false, isConnected: true });
  const second = store.getSnapshot();
  expect(second).toEqual({ onlineUsers: users, isLoading: false, error: null, isConnected: true });
  expect(second.onlineUsers).toBe(users);
  made.tell();
  expect(store.getSnapshot()).toBe(second);
  expect(listener).toHaveBeenCalledTimes(1);
});

test('an error keeps the last list', async () => {
  const store = createOnlineUsersStore('42');
  follow(store);
  const made = await feed();
  made.become({ users: [ann], isLoading: false, isConnected: true });
  const error = new ChatError('NETWORK_ERROR', 'gone');
  made.become({ error, isConnected: false });
  expect(store.getSnapshot()).toEqual({
    onlineUsers: [ann],
    isLoading: false,
    error,
    isConnected: false,
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

test('changed options start with what is known of the tenant', async () => {
  const store = createOnlineUsersStore('42');
  const leave = follow(store);
  (await feed()).become({ users: [ann, bob], isLoading: false, isConnected: true });

  const slower = createOnlineUsersStore('42', { pollingInterval: 60_000 });
  leave();
  follow(slower);
  const next = await feed(1);
  expect(slower.getSnapshot()).toMatchObject({
    onlineUsers: [ann, bob],
    isLoading: false,
    isConnected: false,
  });
  next.become({ users: [bob], isLoading: false });
  expect(slower.getSnapshot().onlineUsers).toEqual([bob]);
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
  made.become({ isConnected: true });
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
