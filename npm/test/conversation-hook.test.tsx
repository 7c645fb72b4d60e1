// @vitest-environment happy-dom
/** `useConversation` in React: strict mode, changed arguments, several components, server rendering. */
import { act, cleanup, render, renderHook } from '@testing-library/react';
import { StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configure, followVisit } from '../lib/index.js';
import { useConversation } from '../lib/react.js';
import { SocketEvent } from '../lib/ops.js';
import { appears, core, fresh, settled } from './support.js';

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example', apiKey: 'key' });
});

afterEach(async () => {
  cleanup();
  await settled();
});

const socket = (at = 0) => appears(() => core.sockets[at]);

test('strict mode makes one connection, and unmounting ends it', async () => {
  const { result, unmount } = renderHook(() => useConversation('42'), { wrapper: StrictMode });
  const made = await socket();
  await settled();
  expect(core.sockets).toEqual([made]);
  act(() => made.emit(SocketEvent.Connected));
  await act(async () => {
    result.current.send('hi');
    await settled();
  });
  expect(result.current).toMatchObject({
    isConnected: true,
    messages: [{ text: 'hi', state: 'delivered' }],
  });
  unmount();
  await settled();
  expect(made.closed).toBe(true);
});

test('options count by value, and the functions stay while they do', async () => {
  const { result, rerender } = renderHook(
    ({ sessionId }) => useConversation('42', { sessionId }),
    { initialProps: { sessionId: 's1' } },
  );
  const made = await socket();
  const before = result.current;
  rerender({ sessionId: 's1' });
  expect(result.current).toBe(before);
  act(() => made.emit(SocketEvent.Connected));
  expect(result.current.send).toBe(before.send);
  rerender({ sessionId: 's2' });
  expect(result.current.send).not.toBe(before.send);
  const second = await socket(1);
  await settled();
  expect(made.closed).toBe(true);
  expect(second.closed).toBe(false);
});

test('two components see the same messages, also what one of them has only just written', async () => {
  const Badge = () => <b>{useConversation('42').messages.length}</b>;
  const Panel = () => {
    const { messages, send } = useConversation('42');
    return <button onClick={() => send('hi')}>{messages.map(({ text }) => text)}</button>;
  };
  const { container } = render(
    <>
      <Badge />
      <Panel />
    </>,
  );
  await socket();
  act(() => container.querySelector('button')?.click());
  expect(container.textContent).toBe('1hi');
  expect(core.sockets).toHaveLength(1);
});

test('without a tenant nothing connects; a server renders what is there at first and starts nothing', async () => {
  const { result } = renderHook(() => useConversation(null));
  expect(result.current).toMatchObject({ messages: [], isLoading: false, isConnected: false });
  const Page = () => <p>{useConversation('42', { sessionId: 's' }).isLoading ? 'loading' : 'no'}</p>;
  expect(renderToString(<Page />)).toBe('<p>loading</p>');
  await settled();
  expect(core.sockets).toEqual([]);
});

test('a visit is told, and is no reason for another conversation while it is the same', async () => {
  const visit = followVisit();
  const { result, rerender } = renderHook(() => useConversation('43', { visit, keepUnsent: true }));
  const made = await socket();
  const { send } = result.current;
  rerender();
  expect(result.current.send).toBe(send);
  expect(core.sockets).toEqual([made]);
  expect(await made.handshake()).toMatchObject({ visit: { visits: 1 } });
  visit.close();
});
