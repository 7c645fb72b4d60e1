// @vitest-environment happy-dom
/** Messages that are not delivered when a page is left are there in the next one, for those who wrote them. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ChatConfig, Conversation, ConversationOptions } from '../lib/index.js';
import { SocketEvent } from '../lib/ops.js';

const endpoint: ChatConfig = { gatewayUrl: 'https://api.example' };
const leave: (() => void)[] = [];
let before = async (): Promise<void> => {};

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
});

afterEach(() => {
  leave.splice(0).forEach((end) => end());
});

/** A page that is loaded anew: what it keeps in memory begins from nothing. */
async function page(config: ChatConfig = endpoint) {
  await before();
  vi.resetModules();
  // Whoever was about to connect in the page before has long done so.
  const turns = Object.keys({ ...localStorage }).filter((key) => key.endsWith('?'));
  turns.forEach((key) => localStorage.removeItem(key));
  const { configure, createConversation } = await import('../lib/index.js');
  const { core } = await import('./fake-core.js');
  const { loadCore } = await import('../lib/core.js');
  configure(config);
  const settled = async () => {
    await loadCore();
    await new Promise((resolve) => setTimeout(resolve));
  };
  before = settled;
  const converse = (tenantId = '42', options: ConversationOptions = {}) => {
    const store = createConversation(tenantId, { keepUnsent: true, ...options });
    store.subscribe(() => {});
    leave.push(() => store.close());
    return store;
  };
  const socket = (at = 0) =>
    vi.waitFor(() => {
      const made = core.sockets[at];
      if (!made) {
        throw new Error('not there yet');
      }
      return made;
    });
  return { converse, socket, settled };
}

const shown = (store: Conversation) =>
  store.getSnapshot().messages.map(({ text, state }) => [text, state]);

/** A token of that user, as far as it can be read here. */
const tokenOf = (sub: string) => `x.${btoa(JSON.stringify({ sub })).replaceAll('=', '')}.y`;

test('what was written without a connection shows at once after a reload, and is sent as a retry', async () => {
  const clientId = (await page()).converse().send('hi');
  const next = await page();
  const store = next.converse();
  expect(shown(store)).toEqual([['hi', 'pending']]);
  const made = await next.socket();
  made.emit(SocketEvent.Connected);
  await next.settled();
  expect(made.sent).toMatchObject([{ text: 'hi', clientId, retry: true }]);
  expect(shown(store)).toEqual([['hi', 'delivered']]);
  expect(sessionStorage.length).toBe(0);
});

test('what was on its way keeps its name and its place before what is written later', async () => {
  const first = await page();
  const made = await (first.converse(), first.socket());
  made.emit(SocketEvent.Connected);
  made.answer = () => new Promise(() => {});
  const clientId = first.converse().send('one');
  await first.settled();
  expect(made.sent).toHaveLength(1);
  const next = await page();
  next.converse().send('two');
  const again = await next.socket();
  again.emit(SocketEvent.Connected);
  await vi.waitFor(() => expect(again.sent).toHaveLength(2));
  expect(again.sent).toMatchObject([
    { text: 'one', clientId, retry: true },
    { text: 'two', retry: undefined },
  ]);
});

test('what has failed shows as that, with its reason, until it is sent once more', async () => {
  const first = await page();
  const { ChatError } = await import('../lib/index.js');
  const store = first.converse();
  const made = await first.socket();
  made.answer = () => Promise.reject(new ChatError('TEXT_TOO_LONG', 'too long'));
  made.emit(SocketEvent.Connected);
  const clientId = store.send('long');
  await vi.waitFor(() => expect(shown(store)).toEqual([['long', 'failed']]));
  const next = await page();
  const later = next.converse();
  expect(later.getSnapshot().messages).toMatchObject([
    { state: 'failed', error: { code: 'TEXT_TOO_LONG', message: 'too long' } },
  ]);
  const again = await next.socket();
  again.emit(SocketEvent.Connected);
  await next.settled();
  expect(again.sent).toEqual([]);
  later.retry(clientId);
  await next.settled();
  expect(again.sent).toMatchObject([{ clientId, retry: true }]);
});

test('nothing is kept unless that is wanted', async () => {
  (await page()).converse('42', { keepUnsent: false }).send('hi');
  expect(sessionStorage.length).toBe(0);
});

test('another tenant, another server and another conversation have their own', async () => {
  (await page()).converse('42').send('hi');
  expect(shown((await page()).converse('43'))).toEqual([]);
  expect(shown((await page({ gatewayUrl: 'https://b.example' })).converse('42'))).toEqual([]);
  expect(shown((await page()).converse('42', { sessionId: 's' }))).toEqual([]);
  expect(shown((await page()).converse('42'))).toEqual([['hi', 'pending']]);
});

test('another visitor in the same tab neither sees nor sends it', async () => {
  (await page()).converse().send('hi');
  localStorage.clear();
  const next = await page();
  const store = next.converse();
  expect(shown(store)).toEqual([]);
  const made = await next.socket();
  made.emit(SocketEvent.Connected);
  await next.settled();
  expect(made.sent).toEqual([]);
});

test('whoever shows tokens gets their own back as soon as the token has said who they are', async () => {
  const as = (sub: string): ChatConfig => ({ ...endpoint, getToken: async () => tokenOf(sub) });
  const first = await page(as('ann'));
  const written = first.converse();
  await (await first.socket()).config.credentials();
  written.send('from ann');
  const other = await page(as('bob'));
  const bobs = other.converse();
  await (await other.socket()).config.credentials();
  expect(shown(bobs)).toEqual([]);

  const third = await page(as('ann'));
  const again = third.converse();
  again.send('more');
  expect(shown(again)).toEqual([['more', 'pending']]);
});

test('after a reload the same user of a token has it again', async () => {
  const config = { ...endpoint, getToken: async () => tokenOf('ann') };
  const first = await page(config);
  const written = first.converse();
  await (await first.socket()).config.credentials();
  written.send('from ann');
  const next = await page(config);
  const store = next.converse();
  expect(shown(store)).toEqual([]);
  await (await next.socket()).config.credentials();
  expect(shown(store)).toEqual([['from ann', 'pending']]);
});

test('who becomes another user in a page leaves what was not sent behind', async () => {
  let sub = 'ann';
  const here = await page({ ...endpoint, getToken: async () => tokenOf(sub) });
  const store = here.converse();
  const made = await here.socket();
  await made.config.credentials();
  store.send('from ann');
  sub = 'bob';
  await made.config.credentials();
  made.emit(SocketEvent.Connected);
  await here.settled();
  expect(shown(store)).toEqual([]);
  expect(made.sent).toEqual([]);
  expect(sessionStorage.length).toBe(0);
});

test('a tab that was duplicated sends the same under the same name, as a retry', async () => {
  const clientId = (await page()).converse().send('hi');
  const copy = { ...sessionStorage };
  const sendsAgain = async () => {
    sessionStorage.clear();
    Object.entries(copy).forEach(([key, value]) => sessionStorage.setItem(key, value));
    const tab = await page();
    tab.converse();
    const made = await tab.socket();
    made.emit(SocketEvent.Connected);
    await tab.settled();
    return made.sent;
  };
  const same = [{ text: 'hi', clientId, retry: true }];
  expect(await sendsAgain()).toMatchObject(same);
  expect(await sendsAgain()).toMatchObject(same);
});

test('a page that comes back may find that another one has sent what waited', async () => {
  const here = await page();
  here.converse().send('hi');
  const made = await here.socket();
  window.dispatchEvent(new Event('pageshow'));
  made.emit(SocketEvent.Connected);
  await here.settled();
  expect(made.sent).toMatchObject([{ text: 'hi', retry: true }]);
});

test('a page that comes back has what the one after it has kept', async () => {
  const here = await page();
  const store = here.converse();
  store.send('one');
  const there = await page();
  there.converse().send('two');
  await there.settled();
  window.dispatchEvent(new Event('pageshow'));
  expect(shown(store)).toEqual([
    ['two', 'pending'],
    ['one', 'pending'],
  ]);
  expect(shown((await page()).converse())).toHaveLength(2);
});

test('a server that knows no names is not sent again what it may have', async () => {
  const first = await page();
  const store = first.converse();
  const made = await first.socket();
  made.emit(SocketEvent.Connected);
  store.send('known');
  await first.settled();
  const message = { text: 'known', sender: 'user', timestamp: '2024-01-15T10:30:00.000Z' };
  made.emit(SocketEvent.Message, { ...message, id: 'm1' });
  made.answer = () => new Promise(() => {});
  store.send('on its way');
  store.send('waits');
  await first.settled();
  expect(shown((await page()).converse())).toEqual([
    ['on its way', 'failed'],
    ['waits', 'pending'],
  ]);
});

test('what is kept is bounded', async () => {
  const first = (await page()).converse();
  for (let number = 0; number < 60; number += 1) {
    first.send(`${number}`);
  }
  expect(shown((await page()).converse())).toHaveLength(50);
  sessionStorage.clear();
  const second = (await page()).converse('43');
  for (let number = 0; number < 10; number += 1) {
    second.send('x'.repeat(20_000));
  }
  expect(JSON.stringify({ ...sessionStorage }).length).toBeLessThan(70_000);
});

test.each(['null', '{', '{"whose":"visitor x","messages":[null]}', '{"whose":1}'])(
  'what is kept and cannot be read is nothing: %s',
  async (text) => {
    (await page()).converse().send('hi');
    sessionStorage.setItem(sessionStorage.key(0) ?? '', text);
    expect(shown((await page()).converse())).toEqual([]);
  },
);

test('without storage messages are sent all the same', async () => {
  const denied = () => {
    throw new Error('denied');
  };
  vi.stubGlobal('sessionStorage', { getItem: denied, setItem: denied, removeItem: denied });
  const here = await page();
  const store = here.converse();
  store.send('hi');
  const made = await here.socket();
  made.emit(SocketEvent.Connected);
  await here.settled();
  expect(shown(store)).toEqual([['hi', 'delivered']]);
  vi.unstubAllGlobals();
});
