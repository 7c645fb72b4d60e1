// @vitest-environment happy-dom
/** `createConversation`: what is written, what is heard, and a connection that comes and goes. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  ChatAPI,
  ChatError,
  type ChatMessage,
  configure,
  type Conversation,
  type ConversationOptions,
  createConversation,
  type MessageReceipt,
} from '../lib/index.js';
import { SocketEvent } from '../lib/ops.js';
import { keepToken } from '../lib/page.js';
import { appears, core, fresh, settled } from './support.js';

const open: Conversation[] = [];

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example' });
});

afterEach(async () => {
  vi.useRealTimers();
  open.splice(0).forEach((conversation) => conversation.close());
  await settled();
});

const time = (seconds: number) => `2024-01-15T10:29:0${seconds}.000Z`;

const hello = {
  id: 'm9',
  text: 'Hello',
  sender: 'agent' as const,
  timestamp: time(1),
};

function conversation(options?: ConversationOptions): Conversation {
  const made = createConversation('42', options);
  open.push(made);
  return made;
}

const texts = (store: Conversation) =>
  store.getSnapshot().messages.map(({ text, state }) => [text, state]);

const socket = (at = 0) => appears(() => core.sockets[at]);

/** A conversation that is connected, and its connection. */
async function connected(options?: ConversationOptions) {
  const store = conversation(options);
  store.subscribe(() => {});
  const made = await socket();
  made.emit(SocketEvent.Connected);
  await settled();
  return { store, made };
}

/** Answers to messages, given by the test. */
function answers() {
  const asked: { resolve: (receipt: MessageReceipt) => void; reject: (error: ChatError) => void }[] =
    [];
  const answer = () =>
    new Promise<MessageReceipt>((resolve, reject) => asked.push({ resolve, reject }));
  return { asked, answer };
}

test('what is written before the connection is up shows at once, and is sent once it is', async () => {
  const store = conversation({ websiteInfo: { siteId: 7 } });
  const listener = vi.fn();
  store.subscribe(listener);
  const clientId = store.send('hi');
  expect(clientId).toMatch(/^[\w-]{1,64}$/);
  expect(store.getSnapshot()).toMatchObject({
    isConnected: false,
    messages: [{ text: 'hi', state: 'pending', clientId, key: clientId, sender: 'user', id: null }],
  });
  expect(listener).toHaveBeenCalledTimes(1);
  const made = await socket();
  expect(made.sent).toEqual([]);
  made.emit(SocketEvent.Connected);
  await settled();
  expect(made.sent).toEqual([{ text: 'hi', siteId: '7', domain: expect.any(String), clientId }]);
  expect(store.getSnapshot()).toMatchObject({
    isConnected: true,
    messages: [{ id: 'm1', state: 'delivered', timestamp: expect.any(String) }],
  });
});

test('a snapshot is the same object until something changes', async () => {
  const { store, made } = await connected();
  made.emit(SocketEvent.Message, hello);
  const before = store.getSnapshot();
  made.emit(SocketEvent.Message, hello);
  made.emit(SocketEvent.Connected);
  expect(store.getSnapshot()).toBe(before);
  expect(store.getServerSnapshot()).toBe(store.getServerSnapshot());
});

test('one is under way at a time, so that they arrive in order', async () => {
  const { store, made } = await connected();
  const { asked, answer } = answers();
  made.answer = answer;
  store.send('one');
  store.send('two');
  await settled();
  expect(made.sent).toMatchObject([{ text: 'one' }]);
  asked[0]?.resolve({ messageId: 'm1', timestamp: time(1) });
  await settled();
  expect(made.sent).toMatchObject([{ text: 'one' }, { text: 'two' }]);
});

test('after a lost connection the same message is sent again as a retry, before what came later', async () => {
  const { store, made } = await connected();
  const { asked, answer } = answers();
  made.answer = answer;
  const clientId = store.send('one');
  store.send('two');
  await settled();
  made.emit(SocketEvent.Disconnected, 'transport close');
  asked[0]?.reject(new ChatError('DISCONNECTED', 'gone'));
  await settled();
  expect(texts(store)).toEqual([
    ['one', 'pending'],
    ['two', 'pending'],
  ]);
  expect(store.getSnapshot().messages[0]?.error).toMatchObject({ code: 'DISCONNECTED' });
  made.answer = undefined;
  made.emit(SocketEvent.Connected);
  await settled();
  expect(made.sent).toMatchObject([
    { text: 'one', clientId },
    { text: 'one', clientId, retry: true },
    { text: 'two' },
  ]);
  expect(made.sent[2]).toMatchObject({ retry: undefined });
  expect(texts(store)).toEqual([
    ['one', 'delivered'],
    ['two', 'delivered'],
  ]);
});

test('a refusal fails at once, and the user may try again', async () => {
  const { store, made } = await connected();
  made.answer = () => Promise.reject(new ChatError('TEXT_TOO_LONG', 'too long'));
  const clientId = store.send('long');
  store.send('short');
  await settled();
  expect(texts(store)).toEqual([
    ['long', 'failed'],
    ['short', 'failed'],
  ]);
  expect(store.getSnapshot().messages[0]?.error).toMatchObject({ code: 'TEXT_TOO_LONG' });
  made.answer = undefined;
  store.retry(clientId);
  await settled();
  expect(made.sent.at(-1)).toMatchObject({ text: 'long', clientId, retry: true });
  expect(texts(store)).toEqual([
    ['long', 'delivered'],
    ['short', 'failed'],
  ]);
});

test('a failure that may pass is tried again over the same connection, after a while', async () => {
  const { store, made } = await connected();
  vi.useFakeTimers();
  made.answer = () => Promise.reject(new ChatError('UNAVAILABLE', 'away'));
  store.send('hi');
  await vi.advanceTimersByTimeAsync(0);
  expect(made.sent).toHaveLength(1);
  expect(texts(store)).toEqual([['hi', 'pending']]);
  made.answer = undefined;
  await vi.runOnlyPendingTimersAsync();
  expect(made.sent).toHaveLength(2);
  expect(texts(store)).toEqual([['hi', 'delivered']]);
});

test('a server that never passes fails a message in the end', async () => {
  const { store, made } = await connected();
  vi.useFakeTimers();
  made.answer = () => Promise.reject(new ChatError('UNAVAILABLE', 'away'));
  store.send('hi');
  await vi.runAllTimersAsync();
  expect(texts(store)).toEqual([['hi', 'failed']]);
  expect(made.sent.length).toBeGreaterThan(1);
});

test('a server that does not acknowledge delivers by its broadcast, and a late time-out changes nothing', async () => {
  const { store, made } = await connected();
  const { asked, answer } = answers();
  made.answer = answer;
  store.send('one');
  store.send('two');
  await settled();
  made.emit(SocketEvent.Message, { id: 'm1', text: 'one', sender: 'user', timestamp: time(1) });
  await settled();
  expect(made.sent).toMatchObject([{ text: 'one' }, { text: 'two' }]);
  asked[0]?.reject(new ChatError('TIMEOUT', 'late'));
  await settled();
  expect(texts(store)).toEqual([
    ['one', 'delivered'],
    ['two', 'pending'],
  ]);
  expect(made.sent).toHaveLength(2);
});

test('without names a message of unknown fate is not sent twice by itself', async () => {
  const { store, made } = await connected();
  store.send('one');
  await settled();
  made.emit(SocketEvent.Message, { id: 'm1', text: 'one', sender: 'user', timestamp: time(1) });
  const { asked, answer } = answers();
  made.answer = answer;
  store.send('two');
  await settled();
  made.emit(SocketEvent.Disconnected, 'transport close');
  asked[0]?.reject(new ChatError('DISCONNECTED', 'gone'));
  await settled();
  made.emit(SocketEvent.Connected);
  await settled();
  expect(texts(store)).toEqual([
    ['one', 'delivered'],
    ['two', 'failed'],
  ]);
  expect(made.sent).toHaveLength(2);
});

test('a refused connection fails what waits for it; sending again tries to connect again', async () => {
  const store = conversation();
  store.subscribe(() => {});
  store.send('one');
  const made = await socket();
  const refusal = new ChatError('INVALID_API_KEY', 'no');
  made.emit(SocketEvent.Refused, refusal);
  expect(store.getSnapshot()).toMatchObject({ error: refusal, isConnected: false });
  expect(store.getSnapshot().messages).toMatchObject([{ state: 'failed', error: refusal }]);
  expect(made.closed).toBe(true);
  store.send('two');
  const second = await socket(1);
  second.emit(SocketEvent.Connected);
  await settled();
  expect(second.sent).toMatchObject([{ text: 'two' }]);
  // The one that was given up has nothing to say any more.
  made.emit(SocketEvent.Message, hello);
  expect(texts(store)).toEqual([
    ['two', 'delivered'],
    ['one', 'failed'],
  ]);
});

test('whoever reads on after a refusal is connected again, and nobody else', async () => {
  const store = conversation();
  const stop = store.subscribe(() => {});
  const made = await socket();
  made.emit(SocketEvent.Refused, new ChatError('TOKEN_EXPIRED', 'no'));
  await store.loadHistory();
  const second = await socket(1);
  second.emit(SocketEvent.Connected);
  second.emit(SocketEvent.Message, hello);
  await settled();
  expect(store.getSnapshot()).toMatchObject({ error: null, isConnected: true });
  expect(texts(store)).toContainEqual([hello.text, 'delivered']);
  stop();
  await settled();
  await store.loadHistory();
  await settled();
  expect(core.sockets).toHaveLength(2);
});

test('a bad configuration is an error of the conversation, not an exception', async () => {
  configure({ gatewayUrl: undefined });
  const store = conversation();
  store.subscribe(() => {});
  store.send('hi');
  await settled();
  expect(store.getSnapshot().error).toMatchObject({ code: 'INVALID_CONFIG' });
  expect(texts(store)).toEqual([['hi', 'failed']]);
});

test("staff follow a session's conversation, read it, and answer in it", async () => {
  const store = conversation({ sessionId: 's1' });
  expect(store.getSnapshot().isLoading).toBe(true);
  store.subscribe(() => {});
  const made = await socket();
  made.said = [hello, { id: 'm2', text: 'Question', sender: 'user', timestamp: time(0) }];
  expect(made.config.admin).toBe(true);
  made.emit(SocketEvent.Connected);
  await settled();
  expect(made.joined).toEqual([{ sessionId: 's1' }]);
  expect(store.getSnapshot()).toMatchObject({ isLoading: false, error: null });
  store.send('Answer');
  await settled();
  expect(made.sent).toMatchObject([{ text: 'Answer', sessionId: 's1' }]);
  expect(made.sent[0]).not.toHaveProperty('domain');
  expect(store.getSnapshot().messages.map(({ text, sender }) => [text, sender])).toEqual([
    ['Question', 'user'],
    ['Hello', 'agent'],
    ['Answer', 'agent'],
  ]);
  // What was said while nobody heard is read when the connection is back.
  made.said = [...made.said, { id: 'm3', text: 'Still there?', sender: 'user', timestamp: time(9) }];
  made.emit(SocketEvent.Disconnected, 'transport close');
  made.emit(SocketEvent.Connected);
  await settled();
  expect(made.joined).toHaveLength(2);
  expect(texts(store)).toHaveLength(4);
});

test('a conversation that is not there is an error', async () => {
  const store = conversation({ sessionId: 's1' });
  store.subscribe(() => {});
  const made = await socket();
  const unknown = new ChatError('UNKNOWN_SESSION', 'no such session', 404);
  vi.spyOn(made, 'joinConversation').mockRejectedValue(unknown);
  made.emit(SocketEvent.Connected);
  await settled();
  expect(store.getSnapshot()).toMatchObject({ isLoading: false, error: unknown });
});

test('staff join again after a failure that may pass, and no longer once they have left', async () => {
  const store = conversation({ sessionId: 's1' });
  const leave = store.subscribe(() => {});
  const made = await socket();
  vi.useFakeTimers();
  const away = new ChatError('UNAVAILABLE', 'away', 503);
  const join = vi.spyOn(made, 'joinConversation').mockRejectedValue(away);
  made.emit(SocketEvent.Connected);
  await vi.advanceTimersByTimeAsync(0);
  expect(store.getSnapshot()).toMatchObject({ isLoading: false, error: away });
  join.mockResolvedValueOnce({ messages: [hello] });
  await vi.runOnlyPendingTimersAsync();
  expect(join).toHaveBeenCalledTimes(2);
  expect(store.getSnapshot()).toMatchObject({ isLoading: false, error: null });
  expect(texts(store)).toEqual([['Hello', 'delivered']]);
  await vi.runAllTimersAsync();
  expect(join).toHaveBeenCalledTimes(2);

  made.emit(SocketEvent.Connected);
  await vi.advanceTimersByTimeAsync(0);
  expect(join).toHaveBeenCalledTimes(3);
  leave();
  await vi.runAllTimersAsync();
  expect(join).toHaveBeenCalledTimes(3);
  expect(made.closed).toBe(true);
});

test('a visitor who is known again reads what was said before; a new one asks for nothing', async () => {
  const { store } = await connected();
  expect(core.calls).toEqual([]);
  expect(store.getSnapshot().isLoading).toBe(false);
  store.close();

  keepToken('42', { token: 'visitor.x' });
  const again = conversation();
  again.subscribe(() => {});
  const made = await socket(1);
  made.emit(SocketEvent.Connected);
  expect(again.getSnapshot().isLoading).toBe(true);
  await appears(() => core.calls[1]);
  await settled();
  expect(core.calls.map(([name]) => name)).toEqual(['createSession', 'getMessages']);
  expect(again.getSnapshot()).toMatchObject({ isLoading: false, error: null });
  core.history = [hello];
  await again.loadHistory();
  expect(texts(again)).toEqual([['Hello', 'delivered']]);
});

test('a history that nobody asked for and that is not for this visitor is no error', async () => {
  keepToken('42', { token: 'visitor.x' });
  const { store } = await connected();
  await appears(() => core.calls[1]);
  await settled();
  core.refusal = new ChatError('CREDENTIAL_REQUIRED', 'no', 401);
  core.sockets[0]?.emit(SocketEvent.Connected);
  await settled();
  expect(store.getSnapshot().error).toBeNull();
  await store.loadHistory();
  expect(store.getSnapshot().error).toBe(core.refusal);
});

test('a history may be read without following the conversation', async () => {
  core.history = [hello];
  const store = conversation({ sessionId: 's1' });
  await store.loadHistory();
  expect(texts(store)).toEqual([['Hello', 'delivered']]);
  expect(core.calls).toEqual([['getMessages', { sessionId: 's1' }]]);
  expect(core.sockets).toEqual([]);
});

test('staff follow a conversation even if its history is still being read when the connection comes', async () => {
  let answer = (_: ChatMessage[]) => {};
  vi.spyOn(ChatAPI.prototype, 'getMessages').mockReturnValue(
    new Promise((resolve) => {
      answer = resolve;
    }),
  );
  const store = conversation({ sessionId: 's1' });
  store.subscribe(() => {});
  const asked = store.loadHistory();
  const made = await socket();
  made.said = [hello];
  made.emit(SocketEvent.Connected);
  await settled();
  expect(made.joined).toEqual([{ sessionId: 's1' }]);
  expect(texts(store)).toEqual([['Hello', 'delivered']]);
  answer([]);
  await asked;
  expect(texts(store)).toEqual([['Hello', 'delivered']]);
});

test('what a history of before the connection failed with is no error once a later one was read', async () => {
  let refuse = (_: ChatError) => {};
  vi.spyOn(ChatAPI.prototype, 'getMessages').mockReturnValue(
    new Promise((_, reject) => {
      refuse = reject;
    }),
  );
  const store = conversation({ sessionId: 's1' });
  store.subscribe(() => {});
  const asked = store.loadHistory();
  const made = await socket();
  made.emit(SocketEvent.Connected);
  await settled();
  refuse(new ChatError('TIMEOUT', 'late'));
  await asked;
  expect(store.getSnapshot()).toMatchObject({ isLoading: false, error: null });
});

test('conversations of the same options share one connection and all messages', async () => {
  const { store, made } = await connected({ websiteInfo: { siteId: 7 } });
  const other = conversation({ websiteInfo: { siteId: 7 } });
  other.subscribe(() => {});
  store.send('hi');
  await settled();
  expect(core.sockets).toEqual([made]);
  expect(other.getSnapshot()).toBe(store.getSnapshot());
  conversation({ websiteInfo: { siteId: 8 } }).subscribe(() => {});
  await socket(1);
});

test('who closes a conversation leaves it to those who read it still', async () => {
  const { store, made } = await connected();
  const other = conversation();
  const listener = vi.fn();
  other.subscribe(listener);
  store.close();
  made.emit(SocketEvent.Message, hello);
  expect(listener).toHaveBeenCalled();
  expect(texts(other)).toEqual([['Hello', 'delivered']]);
  other.send('hi');
  await settled();
  expect(texts(other)).toEqual([
    ['Hello', 'delivered'],
    ['hi', 'delivered'],
  ]);
  other.close();
  expect(made.closed).toBe(true);
});

test('the last one to leave ends it, but not before what was written is delivered', async () => {
  const { store, made } = await connected();
  const { asked, answer } = answers();
  made.answer = answer;
  const leave = store.subscribe(() => {});
  open.splice(0);
  store.send('hi');
  await settled();
  leave();
  store.close();
  await settled();
  expect(made.closed).toBe(true);
  expect(texts(store)).toEqual([['hi', 'failed']]);
  expect(asked).toHaveLength(1);

  const second = conversation();
  const goodbye = second.subscribe(() => {});
  second.send('bye');
  goodbye();
  const line = await socket(1);
  await settled();
  expect(line.closed).toBe(false);
  line.emit(SocketEvent.Connected);
  await settled();
  expect(line.sent).toMatchObject([{ text: 'bye' }]);
  expect(line.closed).toBe(true);
  expect(texts(second)).toEqual([['bye', 'delivered']]);
});

test('leaving and coming back in one go keeps the connection; later, the messages', async () => {
  const store = conversation();
  const leave = store.subscribe(() => {});
  const made = await socket();
  made.emit(SocketEvent.Connected);
  made.emit(SocketEvent.Message, hello);
  leave();
  const leaveAgain = store.subscribe(() => {});
  await settled();
  expect(made.closed).toBe(false);
  leaveAgain();
  await settled();
  expect(made.closed).toBe(true);
  expect(store.getSnapshot()).toMatchObject({ isConnected: false });
  store.subscribe(() => {});
  await socket(1);
  expect(texts(store)).toEqual([['Hello', 'delivered']]);
});
