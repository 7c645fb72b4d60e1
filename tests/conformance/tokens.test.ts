/** Tokens that expire, are refused, or cannot be had: the client shows a later one in time and hammers nobody. */
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { type Chat, NodeSocket, nodePackage, NodeStore } from '../support/node-client.ts';
import { OfficialServer } from '../support/official-server.ts';
import { jwt } from '../support/token.ts';
import { until } from '../support/until.ts';

let chat: typeof Chat;

beforeAll(async () => {
  chat = await nodePackage('tokens');
});

beforeEach(() => {
  chat.configure({ apiKey: undefined, getToken: undefined });
});

/** A token that is good for so many seconds, unlike any other. */
let issued = 0;
const token = (seconds: number): string =>
  jwt({ sub: 'boss', n: issued++, exp: Math.floor(Date.now() / 1000) + seconds });

const at = (server: OfficialServer): void => chat.configure({ gatewayUrl: server.url });

test('a socket is replaced by one with a later token before its own expires', async () => {
  await using server = await OfficialServer.start();
  at(server);
  chat.configure({ getToken: () => token(3) });
  using client = new NodeSocket(chat, '42', true);
  await until('three tokens', () => server.attempts.length >= 3);
  await until('the last of them to be in', () => client.state === 'live');
  const shown = server.attempts.map((attempt) => attempt.token);
  expect(new Set(shown).size).toBe(shown.length);
  expect(client.errors).toEqual([]);
  expect(client.states.map(({ state }) => state)).not.toContain('backoff');
  expect(new Set(server.left)).toEqual(new Set(['client namespace disconnect']));
});

test('a store stays connected over it, and its list stays', async () => {
  await using server = await OfficialServer.start();
  at(server);
  chat.configure({ getToken: () => token(3) });
  using followed = new NodeStore(chat, '42');
  await until('the socket', () => followed.now.isConnected);
  const since = followed.shown.length;
  await until('three tokens', () => server.attempts.length >= 3);
  await until('the last of them to be in', () => server.connected === 1);
  for (const { isConnected, connection, error } of followed.shown.slice(since)) {
    expect({ isConnected, connection, error }).toEqual({
      isConnected: true,
      connection: { state: 'live', error: null },
      error: null,
    });
  }
});

test('a token that is none of those is left alone', async () => {
  await using server = await OfficialServer.start();
  at(server);
  chat.configure({ getToken: () => 'opaque' });
  using other = new NodeSocket(chat, '42', true);
  await until('it to be live', () => other.state === 'live');
  // By the time that one whose tokens expire has shown a few, this one has still shown one.
  let turn = 0;
  chat.configure({ getToken: () => token(3 + turn++) });
  using _renews = new NodeSocket(chat, '43', true);
  await until('three tokens', () => server.attempts.length >= 4);
  expect(server.attempts.filter((attempt) => attempt.token === 'opaque')).toHaveLength(1);
  expect(other.states.at(-1)).toEqual({ state: 'live', error: null });
});

test('a refused token is replaced at once, and nobody hears of it', async () => {
  await using server = await OfficialServer.start();
  server.refusal = (shown) => (shown === 'old' ? 'TOKEN_EXPIRED' : undefined);
  at(server);
  let asked = 0;
  chat.configure({ getToken: () => (asked++ === 0 ? 'old' : 'new') });
  using client = new NodeSocket(chat, '42', true);
  await until('it to be live', () => client.state === 'live');
  expect(server.attempts.map((attempt) => attempt.token)).toEqual(['old', 'new']);
  expect(client.errors).toEqual([]);
  expect(client.states.map(({ state }) => state)).not.toContain('backoff');
});

test('one that is refused, too, is waited for, until there is a good one', async () => {
  await using server = await OfficialServer.start();
  server.refusal = (shown) => (shown === 'good' ? undefined : 'INVALID_TOKEN');
  at(server);
  let asked = 0;
  chat.configure({ getToken: () => (asked++ < 4 ? `bad-${asked}` : 'good') });
  using client = new NodeSocket(chat, '42', true);
  await until('it to be live', () => client.state === 'live');
  expect(client.errors.map(({ code }) => code)).toContain('INVALID_TOKEN');
  expect(client.states.map(({ state }) => state)).toContain('backoff');
  expect(client.states.map(({ state }) => state)).not.toContain('closed');
});

test('a fixed key that is refused is shown once over the socket, and the client says so', async () => {
  await using server = await OfficialServer.start();
  server.refusal = () => 'INVALID_API_KEY';
  at(server);
  chat.configure({ apiKey: 'bad' });
  using client = new NodeSocket(chat, '42', true);
  await until('the end', () => client.state === 'closed');
  expect(client.errors.map(({ code }) => code)).toEqual(['INVALID_API_KEY']);
  expect(client.states.at(-1)).toMatchObject({
    state: 'closed',
    error: { code: 'INVALID_API_KEY', message: 'refused' },
  });
  expect(server.attempts).toHaveLength(1);
});

test('a store with a refused key tries its socket again when it is told to, and not before', async () => {
  await using server = await OfficialServer.start();
  server.refusal = (shown) => (shown === 'good' ? undefined : 'INVALID_API_KEY');
  at(server);
  chat.configure({ apiKey: 'bad' });
  using followed = new NodeStore(chat, '42', { pollingInterval: 250 });
  await until('three polls', () => server.polls.length >= 3);
  expect(server.attempts).toHaveLength(1);
  expect(followed.now).toMatchObject({
    error: { code: 'INVALID_API_KEY' },
    connection: { error: { code: 'INVALID_API_KEY' } },
  });

  chat.configure({ apiKey: 'good' });
  await followed.store.refresh();
  await until('the socket', () => followed.now.isConnected);
  expect(followed.now.error).toBeNull();
});

test('a request whose token is refused is sent once more with another, and one with a fixed key is not', async () => {
  await using server = await OfficialServer.start();
  server.refusal = (shown) => (shown === 'new' ? undefined : 'TOKEN_EXPIRED');
  at(server);
  let asked = 0;
  chat.configure({ getToken: () => (asked++ === 0 ? 'old' : 'new') });
  await expect(new chat.ChatAPI('42').getOnlineUsers()).resolves.toEqual([]);
  expect(server.polls.map((poll) => poll.token)).toEqual(['old', 'new']);

  server.polls.length = 0;
  chat.configure({ apiKey: 'fixed' });
  await expect(new chat.ChatAPI('42').getOnlineUsers()).rejects.toMatchObject({
    code: 'TOKEN_EXPIRED',
    status: 401,
  });
  expect(server.polls.map((poll) => poll.token)).toEqual(['fixed']);
});

test('a getToken that fails is asked again', async () => {
  await using server = await OfficialServer.start();
  at(server);
  let asked = 0;
  chat.configure({
    getToken: () => (asked++ < 2 ? Promise.reject(new Error('away')) : 'good'),
  });
  using client = new NodeSocket(chat, '42', true);
  await until('it to be live', () => client.state === 'live');
  expect(client.errors.map(({ code }) => code)).toEqual(['TOKEN_UNAVAILABLE', 'TOKEN_UNAVAILABLE']);
  expect(server.attempts.map((attempt) => attempt.token)).toEqual(['good']);
});
