// @vitest-environment happy-dom
/** A desk's data in React: what renders, what is shared, and what is left behind. */
import { act, cleanup, renderHook } from '@testing-library/react';
import { StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { configure } from '../lib/index.js';
import { SocketEvent } from '../lib/ops.js';
import { useConversations, useOnlineHistory } from '../lib/react.js';
import { summary } from './summaries.js';
import { appears, core, fresh, settled } from './support.js';

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example', apiKey: 'key' });
});

afterEach(async () => {
  cleanup();
  await settled();
});

const [a1, b2, c3] = [summary('a', 1), summary('b', 2), summary('c', 3)];

test('conversations show as they are told, and end with the component', async () => {
  core.get = ({ cursor }) =>
    cursor ? { conversations: [a1] } : { conversations: [b2], nextCursor: 'more' };
  const { result, rerender, unmount } = renderHook(() => useConversations('42'), {
    wrapper: StrictMode,
  });
  expect(result.current).toMatchObject({ conversations: [], isLoading: true });
  const socket = await appears(() => core.sockets[0]);
  act(() => socket.emit(SocketEvent.Connected));
  await vi.waitFor(() => expect(result.current.conversations).toEqual([b2]));
  expect(result.current).toMatchObject({ hasMore: true, isConnected: true, error: null });
  const before = result.current;
  rerender();
  expect(result.current).toBe(before);
  await act(() => result.current.loadMore());
  expect(result.current).toMatchObject({ conversations: [b2, a1], hasMore: false });
  expect(result.current.loadMore).toBe(before.loadMore);
  act(() => socket.emit(SocketEvent.Conversation, c3));
  await vi.waitFor(() => expect(result.current.conversations).toEqual([c3, b2, a1]));
  expect(core.sockets).toEqual([socket]);
  unmount();
  await settled();
  expect(socket.closed).toBe(true);
});

test('the last hour shows in a component', async () => {
  const samples = [{ at: '2024-01-15T10:30:00.000Z', online: 3, peak: 4 }];
  core.get = () => ({ interval: 60_000, samples });
  const { result } = renderHook(() => useOnlineHistory('42'), { wrapper: StrictMode });
  expect(result.current).toEqual({ samples: [], isLoading: true, error: null });
  await vi.waitFor(() => expect(result.current).toEqual({ samples, isLoading: false, error: null }));
});

test('without a tenant, and on a server, nothing is started', async () => {
  const Page = ({ tenant }: { tenant: string | null }) => {
    const { conversations, isLoading } = useConversations(tenant);
    const { samples } = useOnlineHistory(tenant);
    return <p>{[conversations.length, samples.length, isLoading].join()}</p>;
  };
  expect(renderToString(<Page tenant="42" />)).toBe('<p>0,0,true</p>');
  const { result } = renderHook(() => useConversations(null));
  await act(() => result.current.loadMore());
  expect(result.current).toMatchObject({ conversations: [], isLoading: false });
  await settled();
  expect([core.sockets, core.calls]).toEqual([[], []]);
});
