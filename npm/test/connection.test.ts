// @vitest-environment happy-dom
/** `ChatWebSocket`: usable at once, in order, and silent after its end. */
import { beforeEach, expect, test, vi } from 'vitest';
import { ChatError, ChatWebSocket, configure, type Connection } from '../lib/index.js';
import { SocketEvent } from '../lib/ops.js';
import { appears, core, fresh, settled } from './support.js';

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example' });
});

const visit = (url: string) =>
  (window as Window & { happyDOM?: { setURL(url: string): void } }).happyDOM?.setURL(url);
const socket = () => appears(() => core.sockets[0]);

test('what is called before the core is there happens in order once it is', async () => {
  const client = new ChatWebSocket('42', {}, undefined, true);
  const first = client.sendMessage('one', { sessionId: 's' });
  const second = client.sendMessage('two', { sessionId: 's' });
  expect(core.sockets).toEqual([]);

  expect(await first).toEqual({ messageId: 'm1', timestamp: expect.any(String) });
  expect(await second).toMatchObject({ messageId: 'm2' });
  const made = await socket();
  expect(made.sent).toEqual([
    { text: 'one', sessionId: 's' },
    { text: 'two', sessionId: 's' },
  ]);
});

test('what the server tells and does not acknowledge has been accepted', async () => {
  const client = new ChatWebSocket('42');
  const made = await socket();
  const late = new ChatError('TIMEOUT', 'late');
  const acks: ((error: ChatError) => void)[] = [];
  made.answer = () => new Promise((_, reject) => acks.push(reject));
  const results = Promise.allSettled(['hi', 'bye', 'hi', 'hi'].map((text) => client.sendMessage(text)));
  await appears(() => acks[3]);
  const timestamp = '2024-01-15T10:30:00.000Z';
  const told = (id: string, text: string, sender: string) =>
    made.emit(SocketEvent.Message, { id, text, sender, timestamp });
  told('m0', 'hi', 'agent');
  told('m1', 'hi', 'user');
  told('m2', 'hi', 'user');
  acks.splice(0).forEach((fail) => fail(late));
  const isLate = { status: 'rejected', reason: late };
  const isAccepted = (messageId: string) => ({ status: 'fulfilled', value: { messageId, timestamp } });
  expect(await results).toEqual([isAccepted('m1'), isLate, isAccepted('m2'), isLate]);

  const refused = client.sendMessage('again');
  const refuse = await appears(() => acks[0]);
  told('m3', 'again', 'user');
  refuse(new ChatError('RATE_LIMITED', 'slower'));
  await expect(refused).rejects.toMatchObject({ code: 'RATE_LIMITED' });
});

test('what is told in another conversation is nobody’s acknowledgement', async () => {
  const client = new ChatWebSocket('42', {}, undefined, true);
  const made = await socket();
  const late = new ChatError('TIMEOUT', 'late');
  const acks: ((error: ChatError) => void)[] = [];
  made.answer = () => new Promise((_, reject) => acks.push(reject));
  const sent = ['s1', 's2'].map((sessionId) => client.sendMessage('Hello', { sessionId }));
  const results = Promise.allSettled(sent);
  await appears(() => acks[1]);
  const timestamp = '2024-01-15T10:30:00.000Z';
  for (const [id, sessionId] of [['m1', 's3'], ['m2', 's2']]) {
    made.emit(SocketEvent.Message, { id, text: 'Hello', sender: 'agent', timestamp, sessionId });
  }
  acks.forEach((fail) => fail(late));
  expect(await results).toEqual([
    { status: 'rejected', reason: late },
    { status: 'fulfilled', value: { messageId: 'm2', timestamp } },
  ]);
});

test('the list is asked for as soon as there is a connection, once', async () => {
  const client = new ChatWebSocket('42', { onConnect: () => client.requestOnlineUsers() }, undefined, true);
  client.requestOnlineUsers();
  const made = await socket();
  await settled();
  expect(made.requests).toBe(0);
  made.become('live', SocketEvent.Connected);
  expect(made.requests).toBe(1);
  client.requestOnlineUsers();
  expect(made.requests).toBe(2);

  made.become('backoff', SocketEvent.Disconnected, new ChatError('NETWORK_ERROR', 'gone'));
  client.requestOnlineUsers();
  client.requestOnlineUsers();
  expect(made.requests).toBe(2);
  made.become('live', SocketEvent.Connected);
  expect(made.requests).toBe(3);
  client.disconnect();
  client.requestOnlineUsers();
  expect(made.requests).toBe(3);
});

test('a client that is closed before the core is there never connects, and its calls fail', async () => {
  const onError = vi.fn();
  const client = new ChatWebSocket('42', { onError });
  const sent = client.sendMessage('hi');
  client.disconnect();
  await expect(sent).rejects.toMatchObject({ code: 'DISCONNECTED' });
  await settled();
  expect(core.sockets).toEqual([]);
  expect(onError).not.toHaveBeenCalled();
});

test('a double mount leaves one connection', async () => {
  new ChatWebSocket('42').disconnect();
  const second = new ChatWebSocket('42');
  const made = await socket();
  await settled();
  expect(core.sockets).toEqual([made]);
  second.disconnect();
  expect(made.closed).toBe(true);
});

test('each event reaches its callback', async () => {
  const calls: unknown[] = [];
  const record = (name: string) => (value?: unknown) => calls.push([name, value]);
  new ChatWebSocket('42', {
    onConnect: record('connect'),
    onDisconnect: record('disconnect'),
    onError: record('error'),
    onMessage: record('message'),
    onUserOnline: record('online'),
    onUserOffline: record('offline'),
    onOnlineUsersList: record('list'),
  });
  const { emit } = await socket();
  const error = new ChatError('TIMEOUT', 'late');
  const refusal = new ChatError('UNKNOWN_TENANT', 'no');
  emit(SocketEvent.Connected);
  emit(SocketEvent.Disconnected, new ChatError('NETWORK_ERROR', 'gone'));
  emit(SocketEvent.Failed, error);
  emit(SocketEvent.Refused, refusal);
  emit(SocketEvent.Message, { id: 'm' });
  emit(SocketEvent.UserOnline, { userId: 'ann' });
  emit(SocketEvent.UserOffline, 'ann');
  emit(SocketEvent.List, []);
  expect(calls).toEqual([
    ['connect', undefined],
    ['disconnect', undefined],
    ['error', error],
    ['error', refusal],
    ['message', { id: 'm' }],
    ['online', { userId: 'ann' }],
    ['offline', 'ann'],
    ['list', []],
  ]);
});

test('nothing is called after disconnect', async () => {
  const onMessage = vi.fn();
  const client = new ChatWebSocket('42', { onMessage });
  const made = await socket();
  made.become('live', SocketEvent.Connected);
  expect(client.isConnected()).toBe(true);
  client.disconnect();
  client.disconnect();
  made.emit(SocketEvent.Message, { id: 'late' });
  expect(onMessage).not.toHaveBeenCalled();
  expect(client.isConnected()).toBe(false);
});

test('a callback that throws is reported to the page and stops nothing', async () => {
  const report = vi.fn();
  vi.stubGlobal('queueMicrotask', (run: () => void) => {
    try {
      run();
    } catch (error) {
      report(error);
    }
  });
  const mistake = new Error('the page');
  const onUserOffline = vi.fn();
  new ChatWebSocket('42', {
    onConnect() {
      throw mistake;
    },
    onUserOffline,
  });
  const { emit } = await socket();
  expect(() => emit(SocketEvent.Connected)).not.toThrow();
  expect(report).toHaveBeenCalledWith(mistake);
  emit(SocketEvent.UserOffline, 'ann');
  expect(onUserOffline).toHaveBeenCalledWith('ann');
});

test('a page without WebAssembly is told so, and the next client tries again', async () => {
  // A page of its own: on this one the core has started already.
  vi.resetModules();
  const again = await import('../lib/index.js');
  const { core: other } = await import('./fake-core.js');
  other.broken = true;
  again.configure({ gatewayUrl: 'https://api.example' });
  const onError = vi.fn();
  const client = new again.ChatWebSocket('42', { onError });
  await expect(client.sendMessage('hi')).rejects.toMatchObject({ code: 'WASM_UNAVAILABLE' });
  expect(onError).toHaveBeenCalledTimes(1);
  other.broken = false;
  new again.ChatWebSocket('42', { onError });
  await appears(() => other.sockets[0]);
  expect(onError).toHaveBeenCalledTimes(1);
});

test('a visitor tells of the page, an admin does not', async () => {
  visit('https://shop.example/shoes?size=42');
  new ChatWebSocket('42', {}, { siteId: 7 });
  const visitor = await socket();
  expect(visitor.config).toMatchObject({
    admin: false,
    tenantId: '42',
    website: {
      domain: 'shop.example',
      origin: 'https://shop.example',
      url: 'https://shop.example/shoes?size=42',
      siteId: '7',
    },
  });
  new ChatWebSocket('42', {}, { siteId: 7 }, true);
  const admin = await appears(() => core.sockets[1]);
  expect(admin.config).toMatchObject({ admin: true, website: {} });
});

test("a visitor's message carries site and domain", async () => {
  visit('https://shop.example/');
  await new ChatWebSocket('42', {}, { siteId: 7 }).sendMessage('hi');
  await new ChatWebSocket('42', {}, { domain: 'other.example' }).sendMessage('hi');
  expect(core.sockets.map(({ sent }) => sent)).toEqual([
    [{ text: 'hi', siteId: '7', domain: 'shop.example' }],
    [{ text: 'hi', domain: 'other.example' }],
  ]);
});

test('each change of the state is told with its reason, and the same is not told again', async () => {
  const states: Connection[] = [];
  const client = new ChatWebSocket('42', { onStateChange: (state) => states.push(state) });
  expect(client.state).toBe('connecting');
  const made = await socket();
  const lost = new ChatError('NETWORK_ERROR', 'gone');
  const refused = new ChatError('INVALID_API_KEY', 'no');
  made.become('connecting', SocketEvent.Connecting);
  made.become('live', SocketEvent.Connected);
  made.become('backoff', SocketEvent.Disconnected, lost);
  made.become('connecting', SocketEvent.Connecting);
  made.become('backoff', SocketEvent.Failed, lost);
  made.become('backoff', SocketEvent.Failed, lost);
  made.become('closed', SocketEvent.Refused, refused);
  expect(states).toEqual([
    { state: 'live', error: null },
    { state: 'backoff', error: lost },
    { state: 'connecting', error: lost },
    { state: 'backoff', error: lost },
    { state: 'closed', error: refused },
  ]);
  expect(client.state).toBe('closed');
});

test('the state is the new one before any callback of it', async () => {
  const seen: string[] = [];
  const client: ChatWebSocket = new ChatWebSocket('42', {
    onConnect: () => seen.push(client.state),
    onError: () => seen.push(client.state),
  });
  const made = await socket();
  made.become('live', SocketEvent.Connected);
  made.become('closed', SocketEvent.Refused, new ChatError('WRONG_TENANT', 'no'));
  expect(seen).toEqual(['live', 'closed']);
});

test('what cannot start is closed and says why; what was ended is closed without a word', async () => {
  configure({ gatewayUrl: 'nonsense' });
  const states: Connection[] = [];
  new ChatWebSocket('42', { onStateChange: (state) => states.push(state) });
  await vi.waitFor(() => expect(states).toHaveLength(1));
  expect(states).toMatchObject([{ state: 'closed', error: { code: 'INVALID_CONFIG' } }]);

  configure({ gatewayUrl: 'https://api.example' });
  const onStateChange = vi.fn();
  const client = new ChatWebSocket('42', { onStateChange });
  client.disconnect();
  expect(client.state).toBe('closed');
  await settled();
  expect(onStateChange).not.toHaveBeenCalled();
});

test('a signal disconnects, before or after the core is there', async () => {
  const [early, late] = [new AbortController(), new AbortController()];
  const first = new ChatWebSocket('42', {}, undefined, true, { signal: early.signal });
  early.abort();
  expect(first.state).toBe('closed');
  expect(new ChatWebSocket('42', {}, undefined, true, { signal: early.signal }).state).toBe('closed');
  await settled();
  expect(core.sockets).toEqual([]);

  new ChatWebSocket('42', {}, undefined, true, { signal: late.signal });
  const made = await socket();
  late.abort();
  expect(made.closed).toBe(true);
});

test('a message that is given up is taken back from the core', async () => {
  const client = new ChatWebSocket('42');
  const made = await socket();
  made.answer = () => new Promise(() => {});
  const controller = new AbortController();
  const sent = client.sendMessage('hi', { signal: controller.signal });
  await vi.waitFor(() => expect(made.sent).toHaveLength(1));
  controller.abort();
  await expect(sent).rejects.toMatchObject({ code: 'ABORTED' });
  expect(made.cancelled).toEqual([1]);
});

test('a message that is given up before the core is there is not sent', async () => {
  const client = new ChatWebSocket('42');
  const controller = new AbortController();
  const sent = client.sendMessage('hi', { signal: controller.signal });
  controller.abort();
  await expect(sent).rejects.toMatchObject({ code: 'ABORTED' });
  const made = await socket();
  await settled();
  expect(made.sent).toEqual([]);
});
