// @vitest-environment happy-dom
/** `ChatAPI`: the session it keeps, and failures that stay failures. */
import { beforeEach, expect, test } from 'vitest';
import { ChatAPI, ChatError, configure } from '../lib/index.js';
import { core, fresh } from './support.js';

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example', apiKey: 'key' });
});

const calls = () => core.calls;

test('a failed request rejects with its code and never looks like an empty list', async () => {
  const api = new ChatAPI('42');
  expect(await api.getOnlineUsers()).toEqual([]);
  core.refusal = new ChatError('WRONG_TENANT', 'no', 403);
  const error: unknown = await api.getOnlineUsers().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ChatError);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: 'ChatError', code: 'WRONG_TENANT', status: 403 });
});

test('a bad configuration rejects, and the next call sees a good one', async () => {
  configure({ gatewayUrl: 'nonsense' });
  const api = new ChatAPI('42');
  await expect(api.getOnlineUsers()).rejects.toMatchObject({ code: 'INVALID_CONFIG' });
  configure({ gatewayUrl: 'https://api.example' });
  expect(await api.getOnlineUsers()).toEqual([]);
});

test('the session that was opened is the one that is used', async () => {
  const api = new ChatAPI('42', { siteId: 7, domain: 'shop.example' });
  expect(await api.initializeSession()).toBe('s-created');
  await api.sendMessage('hi');
  await api.getMessages();
  expect(calls()).toEqual([
    ['createSession', { tenantId: '42' }],
    [
      'sendMessage',
      { tenantId: '42', text: 'hi', siteId: '7', domain: 'shop.example', sessionId: 's-created' },
    ],
    ['getMessages', { sessionId: 's-created' }],
  ]);
});

test('the first message opens a session', async () => {
  const api = new ChatAPI('42', { domain: 'shop.example' });
  await api.sendMessage('hi');
  await api.getMessages();
  expect(calls()).toEqual([
    ['sendMessage', { tenantId: '42', text: 'hi', domain: 'shop.example' }],
    ['getMessages', { sessionId: 's-answered' }],
  ]);
});

test("an agent's reply to one session is not the next call's session", async () => {
  const api = new ChatAPI('42');
  await api.sendMessage('hello', { sessionId: 's-visitor' });
  await api.getMessages();
  expect(calls()).toEqual([
    ['sendMessage', { tenantId: '42', text: 'hello', sessionId: 's-visitor' }],
    ['createSession', { tenantId: '42' }],
    ['getMessages', { sessionId: 's-created' }],
  ]);
});

test('each request can be given up, and only those that come after the abort are not made', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const api = new ChatAPI('42');
  await api.getOnlineUsers({ signal });
  expect(core.configs[0]?.signal).toBe(signal);
  controller.abort();
  for (const request of [
    api.getOnlineUsers({ signal }),
    api.getMessages('s', { signal }),
    api.sendMessage('hi', { signal }),
    api.initializeSession({ signal }),
  ]) {
    await expect(request).rejects.toMatchObject({ code: 'ABORTED' });
  }
  expect(calls()).toHaveLength(1);
});

test('the timeout is that of the configuration when the request is made', async () => {
  const api = new ChatAPI('42');
  await api.getOnlineUsers();
  const settings = core.configs[0]?.settings;
  expect(settings?.().requestTimeout).toBeUndefined();
  configure({ requestTimeout: 1000 });
  expect(settings?.().requestTimeout).toBe(1000);
});
