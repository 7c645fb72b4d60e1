// @vitest-environment happy-dom
/** The store of a tenant's conversations: when it reads, what it makes of failures, and who shares it. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { configure } from '../lib/config.js';
import { createConversation } from '../lib/conversation.js';
import { createConversations, type ConversationsStore } from '../lib/conversations.js';
import { ChatError } from '../lib/errors.js';
import { SocketEvent } from '../lib/ops.js';
import type { ConversationSummary } from '../lib/types.js';
import { summary } from './summaries.js';
import { appears, core, fresh, settled } from './support.js';

const stops: (() => void)[] = [];

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example', apiKey: 'key' });
});

afterEach(async () => {
  vi.useRealTimers();
  stops.splice(0).forEach((stop) => stop());
  await settled();
});

const [a1, b2, c3, d4] = [summary('a', 1), summary('b', 2), summary('c', 3), summary('d', 4)];

/** Answers with these conversations, `size` at a time. */
function serve(size: number, ...conversations: ConversationSummary[]): void {
  core.get = ({ cursor = '0' }) => {
    const end = Number(cursor) + size;
    const more = end < conversations.length && { nextCursor: String(end) };
    return { conversations: conversations.slice(Number(cursor), end), ...more };
  };
}

async function follow(store = createConversations('42')) {
  const listener = vi.fn();
  const stop = store.subscribe(listener);
  stops.push(stop);
  const socket = await appears(() => core.sockets.at(-1));
  return { store, listener, stop, socket };
}

async function connected(store?: ConversationsStore) {
  const followed = await follow(store);
  followed.socket.emit(SocketEvent.Connected);
  await settled();
  return followed;
}

const ids = (store: ConversationsStore) => store.getSnapshot().conversations.map(({ id }) => id);
const reads = () => core.calls.filter(([name]) => name === 'get').length;
const say = async (
  { socket, store }: Awaited<ReturnType<typeof follow>>,
  conversation: ConversationSummary,
) => {
  socket.emit(SocketEvent.Conversation, conversation);
  await vi.waitFor(() => expect(store.getSnapshot().conversations).toContain(conversation));
};

test('nothing happens before the first subscriber, and everything ends with the last', async () => {
  const store = createConversations('42');
  expect(store.getSnapshot()).toEqual({
    ...{ conversations: [], hasMore: false },
    ...{ isLoading: true, error: null, isConnected: false },
  });
  await store.loadMore();
  await settled();
  expect(core.sockets).toEqual([]);
  serve(50, b2, a1);
  const { stop, socket } = await connected(store);
  stop();
  await settled();
  expect(socket.closed).toBe(true);
  expect(store.getSnapshot()).toMatchObject({ conversations: [b2, a1], isConnected: false });
});

test('an admin asks to be told, and reads the list when connected', async () => {
  serve(50, b2, a1);
  const { store, socket } = await follow();
  expect(socket.config.admin).toBe(true);
  expect(await socket.handshake()).toEqual({ token: 'key', conversations: 1 });
  expect(reads()).toBe(0);
  socket.emit(SocketEvent.Connected);
  await settled();
  expect(core.calls).toEqual([['get', { path: '/api/chat/conversations', limit: '50' }]]);
  expect(store.getSnapshot()).toEqual({
    ...{ conversations: [b2, a1], hasMore: false },
    ...{ isLoading: false, error: null, isConnected: true },
  });
});

test('what is said shows, and what was told already changes nothing', async () => {
  serve(50, b2, a1);
  const followed = await connected();
  await say(followed, c3);
  expect(ids(followed.store)).toEqual(['c', 'b', 'a']);
  const before = followed.store.getSnapshot();
  followed.listener.mockClear();
  followed.socket.emit(SocketEvent.Conversation, { ...c3 });
  followed.socket.emit(SocketEvent.Conversation, { id: 'no summary' });
  followed.socket.emit(SocketEvent.Conversation, { ...d4, userId: undefined });
  await say(followed, d4);
  expect(followed.listener).toHaveBeenCalledTimes(1);
  expect(before.conversations).toEqual([c3, b2, a1]);
});

test('what was said before the list has arrived is not lost', async () => {
  let answer = (_: unknown) => {};
  core.get = () => new Promise((resolve) => (answer = resolve));
  const { store, socket } = await connected();
  socket.emit(SocketEvent.Conversation, c3);
  answer({ conversations: [b2, a1] });
  await vi.waitFor(() => expect(ids(store)).toEqual(['c', 'b', 'a']));
});

test('older ones are read page by page, once each', async () => {
  serve(2, d4, c3, b2, a1);
  const { store } = await connected();
  expect(store.getSnapshot()).toMatchObject({ conversations: [d4, c3], hasMore: true });
  await Promise.all([store.loadMore(), store.loadMore()]);
  expect(core.calls.slice(1)).toEqual([
    ['get', { path: '/api/chat/conversations', limit: '50', cursor: '2' }],
  ]);
  expect(store.getSnapshot()).toMatchObject({ conversations: [d4, c3, b2, a1], hasMore: false });
  await store.loadMore();
  expect(reads()).toBe(2);
});

test('a page that cannot be read is asked for again when somebody wants it', async () => {
  serve(2, c3, b2, a1);
  const { store } = await connected();
  core.refusal = new ChatError('UNAVAILABLE', 'later');
  await store.loadMore();
  expect(store.getSnapshot()).toMatchObject({ error: { code: 'UNAVAILABLE' }, hasMore: true });
  core.refusal = undefined;
  await store.loadMore();
  expect(store.getSnapshot()).toMatchObject({ error: null, hasMore: false });
  expect(ids(store)).toEqual(['c', 'b', 'a']);
});

test('after a pause the list is read again', async () => {
  serve(50, a1);
  const { store, socket } = await connected();
  socket.emit(SocketEvent.Disconnected, new ChatError('DISCONNECTED', 'gone'));
  expect(store.getSnapshot()).toMatchObject({ conversations: [a1], isConnected: false });
  serve(50, b2, a1);
  socket.emit(SocketEvent.Connected);
  await settled();
  expect(store.getSnapshot()).toMatchObject({ conversations: [b2, a1], isConnected: true });
});

test('where there is no socket the list is read again and again', async () => {
  serve(50, a1);
  const { store, socket } = await follow();
  vi.useFakeTimers();
  socket.emit(SocketEvent.Failed, new ChatError('NETWORK_ERROR', 'no socket'));
  await vi.advanceTimersByTimeAsync(0);
  expect(store.getSnapshot()).toMatchObject({ conversations: [a1], error: null, isConnected: false });
  socket.emit(SocketEvent.Failed, new ChatError('NETWORK_ERROR', 'no socket'));
  await vi.advanceTimersByTimeAsync(14_999);
  expect(reads()).toBe(1);
  serve(50, b2, a1);
  await vi.advanceTimersByTimeAsync(1);
  expect(ids(store)).toEqual(['b', 'a']);
  socket.emit(SocketEvent.Connected);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(reads()).toBe(3);
});

test('what the server has forgotten when it is back goes', async () => {
  serve(50, b2, a1);
  const followed = await connected();
  serve(50);
  followed.socket.emit(SocketEvent.Disconnected);
  followed.socket.emit(SocketEvent.Connected);
  await vi.waitFor(() => expect(ids(followed.store)).toEqual([]));
  await say(followed, c3);
  expect(ids(followed.store)).toEqual(['c']);
});

test('a failed reading is tried again while connected, and the last list stays', async () => {
  serve(50, a1);
  const { store, socket } = await connected();
  vi.useFakeTimers();
  core.refusal = new ChatError('UNAVAILABLE', 'later');
  socket.emit(SocketEvent.Connected);
  await vi.advanceTimersByTimeAsync(0);
  expect(store.getSnapshot()).toMatchObject({ conversations: [a1], error: core.refusal });
  core.refusal = undefined;
  serve(50, b2, a1);
  await vi.advanceTimersByTimeAsync(1000);
  expect(store.getSnapshot()).toMatchObject({ conversations: [b2, a1], error: null });
});

test('a server without a list is a failure and an empty list', async () => {
  core.refusal = new ChatError('NOT_FOUND', 'no such route', 404);
  const { store } = await follow();
  vi.useFakeTimers();
  core.sockets[0]?.emit(SocketEvent.Connected);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(reads()).toBe(1);
  expect(store.getSnapshot()).toEqual({
    ...{ conversations: [], hasMore: false },
    ...{ isLoading: false, error: core.refusal, isConnected: true },
  });
});

test('an answer that is no list is a failure, and what in it is no conversation is left out', async () => {
  core.get = () => ({ conversations: 'none' });
  const { store, socket } = await connected();
  expect(store.getSnapshot()).toMatchObject({ error: { code: 'INVALID_RESPONSE' } });
  core.get = () => ({ conversations: [null, a1, { id: 'x' }], nextCursor: 7 });
  socket.emit(SocketEvent.Connected);
  await settled();
  expect(store.getSnapshot()).toMatchObject({ conversations: [a1], hasMore: false, error: null });
});

describe('after a refusal', () => {
  const refusal = new ChatError('TOKEN_EXPIRED', 'expired');
  const refused = async () => {
    const followed = await follow();
    vi.useFakeTimers();
    core.refusal = refusal;
    followed.socket.emit(SocketEvent.Refused, refusal);
    return followed;
  };

  test('the list is still asked for now and then, and nobody knocks in vain', async () => {
    const { store } = await refused();
    expect(store.getSnapshot()).toMatchObject({ isLoading: false, error: refusal });
    await vi.advanceTimersByTimeAsync(180_000);
    expect(reads()).toBe(3);
    expect(core.sockets).toHaveLength(1);
  });

  test('another connection is made as soon as the list can be had', async () => {
    const { store, socket } = await refused();
    serve(50, a1);
    core.refusal = undefined;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.getSnapshot()).toMatchObject({ conversations: [a1], error: refusal });
    expect([core.sockets.length, socket.closed]).toEqual([2, true]);
    core.sockets[1]?.emit(SocketEvent.Connected);
    await vi.advanceTimersByTimeAsync(0);
    expect(store.getSnapshot()).toMatchObject({ error: null, isConnected: true });
    // What the former one still says is nobody's concern.
    socket.emit(SocketEvent.Disconnected);
    expect(store.getSnapshot()).toMatchObject({ error: null, isConnected: true });
  });

  test('whoever asks for the list need not wait', async () => {
    const { store } = await refused();
    serve(50, a1);
    core.refusal = undefined;
    await store.refresh();
    expect(core.sockets).toHaveLength(2);
    core.sockets[1]?.emit(SocketEvent.Connected);
    await vi.advanceTimersByTimeAsync(0);
    expect(store.getSnapshot()).toMatchObject({ conversations: [a1], error: null, isConnected: true });
  });
});

describe('where connecting has failed', () => {
  const failure = new ChatError('NETWORK_ERROR', 'no answer');
  const lost = async () => {
    serve(50, a1);
    const followed = await connected();
    vi.useFakeTimers();
    core.refusal = failure;
    followed.socket.emit(SocketEvent.Disconnected);
    followed.socket.emit(SocketEvent.Failed, failure);
    return followed;
  };

  test('a list that can be had again is reason to connect at once', async () => {
    await lost();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(core.sockets).toHaveLength(1);
    core.refusal = undefined;
    await vi.advanceTimersByTimeAsync(15_000);
    expect(core.sockets).toHaveLength(2);
  });

  test('a list that could be had all the time is none', async () => {
    await lost();
    core.refusal = undefined;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reads()).toBeGreaterThan(2);
    expect(core.sockets).toHaveLength(1);
  });

  test('whoever asks for the list does it, but not while the first attempt is under way', async () => {
    const { store } = await lost();
    await store.refresh();
    expect(core.sockets).toHaveLength(2);
    await store.refresh();
    expect(core.sockets).toHaveLength(2);
  });

  test('conversations that wait are connected again with it', async () => {
    const { socket } = await lost();
    const conversation = createConversation('42', { sessionId: 's-a' });
    stops.push(conversation.subscribe(() => {}));
    await vi.advanceTimersByTimeAsync(0);
    const waiting = core.sockets[1];
    socket.emit(SocketEvent.Connected);
    expect(core.sockets).toHaveLength(2);
    waiting?.emit(SocketEvent.Failed, failure);
    socket.emit(SocketEvent.Connected);
    await vi.advanceTimersByTimeAsync(0);
    expect([core.sockets.length, waiting?.closed]).toEqual([3, true]);
  });
});

test('a wrong configuration is an error in the snapshot', async () => {
  fresh();
  const store = createConversations('42');
  stops.push(store.subscribe(() => {}));
  await settled();
  expect(store.getSnapshot()).toMatchObject({ isLoading: false, error: { code: 'INVALID_CONFIG' } });
});

test('whoever asks for a list that could not be begun begins it', async () => {
  configure({ gatewayUrl: 'nonsense' });
  const store = createConversations('42');
  stops.push(store.subscribe(() => {}));
  await appears(() => store.getSnapshot().error ?? undefined);
  configure({ gatewayUrl: 'https://api.example' });
  serve(50, a1);
  await Promise.all([store.refresh(), store.refresh()]);
  expect(store.getSnapshot()).toMatchObject({ conversations: [a1], error: null });
  expect(core.sockets).toHaveLength(1);
});

test('what is configured in the turn of the first subscription counts', async () => {
  configure({ gatewayUrl: '' });
  const following = follow();
  configure({ gatewayUrl: 'https://api.example' });
  const { socket } = await following;
  expect(socket.config.apiUrl).toBe('https://api.example');
});

test('stores of a tenant share one connection, which outlives neither of them', async () => {
  serve(50, a1);
  const one = await connected();
  const two = await follow();
  expect(core.sockets).toEqual([one.socket]);
  expect(two.store.getSnapshot()).toBe(one.store.getSnapshot());
  one.stop();
  await settled();
  expect(one.socket.closed).toBe(false);
  await say(two, b2);
  two.store.close();
  expect(one.socket.closed).toBe(true);
  stops.push(createConversations('43').subscribe(() => {}));
  await vi.waitFor(() => expect(core.sockets).toHaveLength(2));
});

test('leaving and coming back in one go costs nothing; later, it begins with what was known', async () => {
  serve(50, a1);
  const { store, socket, stop } = await connected();
  stop();
  const again = store.subscribe(() => {});
  await settled();
  expect(socket.closed).toBe(false);
  again();
  await settled();
  expect(socket.closed).toBe(true);
  stops.push(store.subscribe(() => {}));
  expect(store.getSnapshot()).toMatchObject({ conversations: [a1], isLoading: false });
  await vi.waitFor(() => expect(core.sockets).toHaveLength(2));
  // What the old connection still says is nobody's concern.
  socket.emit(SocketEvent.Conversation, b2);
  await settled();
  expect(ids(store)).toEqual(['a']);
});
