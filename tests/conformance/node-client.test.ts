/** The package in a Node program that gives it a WebSocket: the same clients, without a page. */
import { beforeAll, expect, test } from 'vitest';
import { ADMIN_KEY, startServer, TENANT } from '../support/backends.ts';
import { type Chat, NodeSocket, nodePackage, NodeStore } from '../support/node-client.ts';
import { OfficialClient } from '../support/official-client.ts';
import { OfficialServer } from '../support/official-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

let chat: typeof Chat;

beforeAll(async () => {
  chat = await nodePackage('node-client');
});

test('a store follows, a visitor talks, and the API answers', async () => {
  await using server = await startServer({ args: ['--offline-grace', '50ms'] });
  chat.configure({ gatewayUrl: server.url, apiKey: ADMIN_KEY });
  using followed = new NodeStore(chat, TENANT);
  await until('the socket', () => followed.now.isConnected);
  expect(followed.now.connection).toEqual({ state: 'live', error: null });
  using visitor = await OfficialClient.visitor(server.url, 'ann');
  await until('ann', () => followed.now.onlineUsers.some((user) => user.userId === 'anonymous-ann'));
  const listed = await new chat.ChatAPI(TENANT).getOnlineUsers();
  expect(listed.map((user) => user.userId)).toEqual(['anonymous-ann']);
  visitor.close();
  await until('nobody', () => followed.now.onlineUsers.length === 0);

  chat.configure({ apiKey: undefined });
  using client = new NodeSocket(chat, TENANT, false);
  expect(await client.socket.sendMessage('hi')).toMatchObject({ messageId: expect.any(String) });
  await until('the talker', () => followed.now.onlineUsers.length === 1);
  client.socket.disconnect();
  expect(client.socket.state).toBe('closed');
  await until('nobody', () => followed.now.onlineUsers.length === 0);
});

test('the list may be asked for from the first line on', async () => {
  await using server = await startServer();
  chat.configure({ gatewayUrl: server.url, apiKey: ADMIN_KEY });
  using client = new NodeSocket(chat, TENANT, true);
  client.socket.requestOnlineUsers();
  await until('the list', () => client.count('list') === 1);
});

test('a server that falls silent is left, and found again', async () => {
  await using server = await OfficialServer.start({ pingInterval: 200, pingTimeout: 200 });
  await using network = await TcpProxy.start(server.port);
  chat.configure({ gatewayUrl: `http://127.0.0.1:${network.port}`, apiKey: 'key' });
  using client = new NodeSocket(chat, TENANT, true);
  await until('it to be live', () => client.state === 'live');
  network.blackhole();
  await until('the silence to be noticed', () => client.count('disconnect') === 1);
  expect(client.states.find(({ state }) => state === 'backoff')?.error).toMatchObject({
    code: 'TIMEOUT',
    message: expect.any(String),
  });
  network.mend();
  await until('it to be live again', () => client.state === 'live');
  expect(client.states.at(-1)).toEqual({ state: 'live', error: null });
});

test('a lost server is said to be lost, and what is said meanwhile arrives', async () => {
  await using server = await OfficialServer.start();
  const heard: string[] = [];
  server.onMessage = (text, acknowledge) => {
    heard.push(text);
    acknowledge({ messageId: text, timestamp: '2024-01-15T10:30:00.000Z' });
  };
  await using network = await TcpProxy.start(server.port);
  chat.configure({ gatewayUrl: `http://127.0.0.1:${network.port}`, apiKey: 'key' });
  using client = new NodeSocket(chat, TENANT, false);
  await until('it to be live', () => client.state === 'live');
  network.cut();
  await until('the loss', () => client.count('disconnect') === 1);
  expect(client.states.at(-1)?.error).toMatchObject({ code: 'NETWORK_ERROR' });
  const controller = new AbortController();
  const given = client.socket.sendMessage('given up', { signal: controller.signal });
  const waits = client.socket.sendMessage('waits');
  controller.abort();
  await expect(given).rejects.toMatchObject({ code: 'ABORTED' });
  network.mend();
  expect(await waits).toMatchObject({ messageId: 'waits' });
  expect(heard).toEqual(['waits']);
});

test('a signal ends the connection', async () => {
  await using server = await OfficialServer.start();
  chat.configure({ gatewayUrl: server.url, apiKey: 'key' });
  const controller = new AbortController();
  const client = new NodeSocket(chat, TENANT, true, { signal: controller.signal });
  await until('it to be live', () => client.state === 'live');
  controller.abort();
  expect(client.state).toBe('closed');
  await until('the goodbye', () => server.left.length === 1);
  expect(server.left).toEqual(['client namespace disconnect']);

  const late = new NodeSocket(chat, TENANT, true, { signal: controller.signal });
  expect(late.state).toBe('closed');
  await expect(late.socket.sendMessage('hi')).rejects.toMatchObject({ code: 'DISCONNECTED' });
  expect(server.attempts).toHaveLength(1);
});

test('a request is given up when its signal says so, or its time is over', async () => {
  await using server = await OfficialServer.start();
  await using network = await TcpProxy.start(server.port);
  chat.configure({ gatewayUrl: `http://127.0.0.1:${network.port}`, apiKey: 'key' });
  const api = new chat.ChatAPI(TENANT);
  await expect(api.getOnlineUsers({ signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ABORTED',
  });
  network.blackhole();
  const controller = new AbortController();
  const asked = api.getOnlineUsers({ signal: controller.signal });
  controller.abort();
  await expect(asked).rejects.toMatchObject({ name: 'ChatError', code: 'ABORTED' });
  chat.configure({ requestTimeout: 50 });
  await expect(api.getOnlineUsers()).rejects.toMatchObject({ code: 'TIMEOUT' });
  chat.configure({ requestTimeout: undefined });
});
