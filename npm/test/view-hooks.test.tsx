// @vitest-environment happy-dom
/** Views, count and one user in React and on the store: what renders, how often, and what is left behind. */
import { act, cleanup, render, renderHook } from '@testing-library/react';
import { StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { configure, createOnlineUsersStore, type OnlineUsersQuery } from '../lib/index.js';
import { useOnlineCount, useOnlineUser, useOnlineUsers, useOnlineUsersView } from '../lib/react.js';
import { ann, appears, bob, core, fresh, settled } from './support.js';

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example', apiKey: 'key' });
});

afterEach(async () => {
  cleanup();
  await settled();
});

const feed = (at = 0) => appears(() => core.feeds[at]);
const cy = { userId: 'cy', connectedAt: '2024-01-15T10:32:00.000Z', domain: 'c.example' };

test('a view of the store follows the list, and its end ends the work', async () => {
  const view = createOnlineUsersStore('42', { notifyInterval: 0 }).view({ sort: 'domain', limit: 2 });
  const listener = vi.fn();
  const leave = view.subscribe(listener);
  const made = await feed();
  made.become({ users: [cy, ann, bob], isLoading: false });
  await vi.waitFor(() => expect(view.getSnapshot().users).toEqual([bob, ann]));
  expect(view.getSnapshot()).toMatchObject({ total: 3, isLoading: false, error: null });
  made.show([cy, ann]);
  await vi.waitFor(() => expect(view.getSnapshot().users).toEqual([ann, cy]));
  leave();
  await settled();
  expect(made.closed).toBe(true);
});

test('a query may be written in place, and a changed one shows', async () => {
  const { result, rerender } = renderHook(
    (query: OnlineUsersQuery) => useOnlineUsersView('42', { filter: {}, ...query }),
    { initialProps: { limit: 1 } as OnlineUsersQuery, wrapper: StrictMode },
  );
  expect(result.current).toEqual({
    ...{ users: [], offset: 0, total: 0, groups: [], groupTotal: 0 },
    ...{ isLoading: true, error: null },
  });
  const made = await feed();
  act(() => made.become({ users: [ann, bob, cy], isLoading: false }));
  await vi.waitFor(() => expect(result.current.users).toEqual([ann]));
  expect(result.current).toMatchObject({ total: 3, isLoading: false });
  const before = result.current;
  rerender({ limit: 1 });
  expect(result.current).toBe(before);
  rerender({ limit: 1, offset: 2 });
  expect(result.current).toMatchObject({ users: [cy], offset: 2, total: 3 });
  rerender({ search: 'example bob' });
  await vi.waitFor(() => expect(result.current).toMatchObject({ users: [], total: 0 }));
  rerender({ search: 'B' });
  await vi.waitFor(() => expect(result.current).toMatchObject({ users: [bob], total: 1 }));
  expect(core.feeds).toEqual([made]);
});

test('views, list and count share one connection, which ends with the last of them', async () => {
  const Page = () => {
    const list = useOnlineUsers('42').onlineUsers.length;
    const view = useOnlineUsersView('42', { search: 'ann' }).total;
    return <b>{[list, view, useOnlineCount('42')].join()}</b>;
  };
  const { container, unmount } = render(<Page />);
  const made = await feed();
  act(() => made.become({ users: [ann, bob], isLoading: false }));
  await vi.waitFor(() => expect(container.textContent).toBe('2,1,2'));
  expect(core.feeds).toEqual([made]);
  unmount();
  await settled();
  expect(made.closed).toBe(true);
  expect(made.shelf.dirty).toBe(null);
});

test('the count renders again only when it is another one', async () => {
  let renders = 0;
  const { result } = renderHook(() => {
    renders++;
    return useOnlineCount('42');
  });
  expect(result.current).toBe(0);
  const made = await feed();
  act(() => made.become({ users: [ann, bob], isLoading: false }));
  expect(result.current).toBe(2);
  const before = renders;
  act(() => made.become({ users: [ann, cy], status: 'live' }));
  expect(renders).toBe(before);
  act(() => made.become({ users: [ann] }));
  expect(result.current).toBe(1);
});

test('one user renders again only when something about them changes', async () => {
  let renders = 0;
  const { result, rerender } = renderHook(
    ({ id }) => {
      renders++;
      return useOnlineUser('42', id);
    },
    { initialProps: { id: 'ann' } },
  );
  expect(result.current).toBe(null);
  const made = await feed();
  act(() => made.become({ users: [ann, bob], isLoading: false }));
  expect(result.current).toBe(ann);
  const before = renders;
  act(() => made.become({ users: [ann, cy] }));
  expect(renders).toBe(before);
  const moved = { ...ann, url: 'https://a.example/cart' };
  act(() => made.become({ users: [moved, cy] }));
  expect(result.current).toBe(moved);
  act(() => made.become({ users: [cy] }));
  expect(result.current).toBe(null);
  rerender({ id: 'cy' });
  expect(result.current).toBe(cy);
});

test('without a tenant, and on a server, nothing is started', async () => {
  const Page = ({ tenant }: { tenant: string | null }) => {
    const { users, isLoading } = useOnlineUsersView(tenant);
    return (
      <p>{[users.length, isLoading, useOnlineCount(tenant), useOnlineUser(tenant, 'a')?.userId].join()}</p>
    );
  };
  expect(renderToString(<Page tenant="42" />)).toBe('<p>0,true,0,</p>');
  const { container } = render(<Page tenant={null} />);
  expect(container.textContent).toBe('0,false,0,');
  await settled();
  expect(core.feeds).toEqual([]);
});
