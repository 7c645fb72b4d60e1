// @vitest-environment happy-dom
/** `useOnlineUsers` in React: strict mode, changed arguments, server rendering. */
import { act, cleanup, render, renderHook } from '@testing-library/react';
import { StrictMode, Suspense, use } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configure, type UseOnlineUsersOptions } from '../lib/index.js';
import { useOnlineUsers } from '../lib/react.js';
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

test('strict mode makes one connection, and unmounting ends it', async () => {
  const { result, unmount } = renderHook(() => useOnlineUsers('42'), { wrapper: StrictMode });
  expect(result.current).toMatchObject({
    onlineUsers: [],
    isLoading: true,
    error: null,
    isConnected: false,
  });
  const made = await feed();
  await settled();
  expect(core.feeds).toEqual([made]);

  act(() => made.become({ users: [ann], isLoading: false, status: 'live' }));
  expect(result.current).toMatchObject({
    onlineUsers: [ann],
    isLoading: false,
    isConnected: true,
  });
  unmount();
  await settled();
  expect(made.closed).toBe(true);
});

test('the result is the same object until something changes', async () => {
  const { result, rerender } = renderHook(() => useOnlineUsers('42', { autoRefresh: true }));
  const made = await feed();
  const before = result.current;
  rerender();
  expect(result.current).toBe(before);
  act(() => made.become({ users: [ann], isLoading: false }));
  expect(result.current).not.toBe(before);
  expect(result.current.refresh).toBe(before.refresh);
});

test('another tenant is another list; none is none', async () => {
  const { result, rerender } = renderHook(({ tenant }) => useOnlineUsers(tenant), {
    initialProps: { tenant: null as string | null },
  });
  await settled();
  expect(core.feeds).toEqual([]);
  expect(result.current).toMatchObject({ onlineUsers: [], isLoading: false, error: null });

  rerender({ tenant: '42' });
  const first = await feed();
  act(() => first.become({ users: [ann], isLoading: false }));
  rerender({ tenant: '43' });
  expect(result.current).toMatchObject({ onlineUsers: [], isLoading: true });
  const second = await feed(1);
  expect(first.closed).toBe(true);
  expect(second.config.tenantId).toBe('43');
  rerender({ tenant: null });
  expect(result.current.onlineUsers).toEqual([]);
  await settled();
  expect(second.closed).toBe(true);
});

test('changed options take effect without emptying the list', async () => {
  const { result, rerender } = renderHook((options) => useOnlineUsers('42', options), {
    initialProps: { enableWebSocket: true },
  });
  const first = await feed();
  act(() => first.become({ users: [ann, bob], isLoading: false, status: 'live' }));
  rerender({ enableWebSocket: false });
  expect(result.current.onlineUsers).toEqual([ann, bob]);
  expect(result.current.isLoading).toBe(false);
  const second = await feed(1);
  expect(second.socket).toBe(false);
  expect(first.closed).toBe(true);
});

test('other options of a connection that stays never look like a lost one', async () => {
  const shown: string[] = [];
  const { result, rerender } = renderHook(
    (options: UseOnlineUsersOptions) => {
      const online = useOnlineUsers('42', options);
      shown.push(`${online.connection.state} ${online.onlineUsers.length}`);
      return online;
    },
    { initialProps: { pollingInterval: 5000 } as UseOnlineUsersOptions, wrapper: StrictMode },
  );
  const made = await feed();
  act(() => made.become({ users: [ann, bob], isLoading: false, status: 'live' }));
  shown.length = 0;
  rerender({ pollingInterval: 1000 });
  rerender({ pollingInterval: 1000, notifyInterval: 100 });
  rerender({ autoRefresh: false });
  expect(new Set(shown)).toEqual(new Set(['live 2']));
  expect(result.current.isConnected).toBe(true);
  await settled();
  expect(core.feeds).toEqual([made]);
});

test('two components share one connection', async () => {
  const Count = () => <b>{useOnlineUsers('42').onlineUsers.length}</b>;
  const { container } = render(
    <>
      <Count />
      <Count />
    </>,
  );
  const made = await feed();
  act(() => made.become({ users: [ann, bob], isLoading: false }));
  expect(container.textContent).toBe('22');
  expect(core.feeds).toHaveLength(1);
});

test('refresh fits a button', async () => {
  const { result } = renderHook(() => useOnlineUsers('42'));
  const made = await feed();
  const onClick: React.MouseEventHandler = result.current.refresh;
  expect(onClick).toBeTypeOf('function');
  await act(() => result.current.refresh());
  expect(made.refreshes).toBe(1);
});

test('a server renders the loading state and starts nothing', async () => {
  const Page = () => <p>{useOnlineUsers('42').isLoading ? 'loading' : 'done'}</p>;
  expect(renderToString(<Page />)).toBe('<p>loading</p>');
  await settled();
  expect(core.feeds).toEqual([]);
});

test('mounting, unmounting and mounting twice over leaves nothing open', async () => {
  for (let round = 0; round < 2; round++) {
    const first = renderHook(() => useOnlineUsers('42'), { wrapper: StrictMode });
    await settled();
    first.unmount();
    const second = renderHook(() => useOnlineUsers('42'), { wrapper: StrictMode });
    await settled();
    expect(core.feeds.filter(({ closed }) => !closed)).toHaveLength(1);
    second.unmount();
    await settled();
    expect(core.feeds.filter(({ closed }) => !closed)).toEqual([]);
  }
});

test('a tree that is suspended before it was shown connects to nothing', async () => {
  let arrive: (() => void) | undefined;
  const arrival = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const Late = () => {
    use(arrival);
    return <i>late</i>;
  };
  const Page = () => (
    <p>
      {useOnlineUsers('42').onlineUsers.length}
      <Late />
    </p>
  );
  const { container, unmount } = await act(async () =>
    render(
      <StrictMode>
        <Suspense fallback="wait">
          <Page />
        </Suspense>
      </StrictMode>,
    ),
  );
  await settled();
  expect(container.textContent).toBe('wait');
  expect(core.feeds).toEqual([]);
  await act(async () => {
    arrive?.();
    await arrival;
  });
  expect(container.textContent).toBe('0late');
  await feed();
  await settled();
  expect(core.feeds.filter(({ closed }) => !closed)).toHaveLength(1);
  unmount();
  await settled();
  expect(core.feeds.filter(({ closed }) => !closed)).toEqual([]);
});
