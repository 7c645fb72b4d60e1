// @vitest-environment happy-dom
/** The Svelte stores: by the contract, with Svelte's own tools, and in a component. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { flushSync, mount, unmount } from 'svelte';
import { derived, get } from 'svelte/store';
import { configure, createOnlineUsersStore } from '../lib/index.js';
import { onlineUsers, readable } from '../lib/svelte.js';
import OnlineUsers from './OnlineUsers.svelte';
import { ann, appears, bob, core, fresh, settled } from './support.js';

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example', apiKey: 'key' });
});

afterEach(settled);

const feed = (at = 0) => appears(() => core.feeds[at]);

test('a subscriber gets the value at once and after each change, until it leaves', async () => {
  const run = vi.fn();
  const leave = onlineUsers('42').subscribe(run);
  expect(run.mock.calls).toMatchObject([[{ onlineUsers: [], isLoading: true }]]);
  const made = await feed();
  made.become({ users: [ann], isLoading: false });
  expect(run).toHaveBeenLastCalledWith(expect.objectContaining({ onlineUsers: [ann] }));
  const { length } = run.mock.calls;
  leave();
  made.become({ users: [ann, bob] });
  expect(run.mock.calls).toHaveLength(length);
  await settled();
  expect(made.closed).toBe(true);
});

test("Svelte's `get` and `derived` take it, and leave nothing behind", async () => {
  const online = onlineUsers('42');
  expect(get(online).isLoading).toBe(true);
  const counts: number[] = [];
  const leave = derived(online, ({ onlineUsers: users }) => users.length).subscribe((count) =>
    counts.push(count),
  );
  const made = await feed();
  made.become({ users: [ann, bob], isLoading: false });
  expect(counts).toEqual([0, 2]);
  await online.refresh();
  expect(made.refreshes).toBe(1);
  leave();
  await settled();
  expect(core.feeds.every(({ closed }) => closed)).toBe(true);
});

test('any store of the package can be read', async () => {
  const run = vi.fn();
  const leave = readable(createOnlineUsersStore('42')).subscribe(run);
  (await feed()).become({ status: 'live' });
  expect(run).toHaveBeenLastCalledWith(expect.objectContaining({ isConnected: true }));
  leave();
});

test('a component shows what the store says, and its end ends the work', async () => {
  const target = document.createElement('div');
  const component = mount(OnlineUsers, { target, props: { tenantId: '42' } });
  flushSync();
  expect(target.textContent).toBe('loading');
  const made = await feed();
  made.become({ users: [ann, bob], isLoading: false });
  flushSync();
  expect(target.textContent).toBe('ann bob');
  await unmount(component);
  await settled();
  expect(made.closed).toBe(true);
});
