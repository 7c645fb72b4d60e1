// @vitest-environment happy-dom
/** A visitor keeps the token that the server issues, and shows it where it counts. */
import { beforeEach, expect, test, vi } from 'vitest';
import { coreConfig } from '../lib/core-config.js';
import { ChatWebSocket, configure } from '../lib/index.js';
import { SocketEvent } from '../lib/ops.js';
import { appears, core, fresh } from './support.js';

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example' });
});

const issue = async (tenantId: string, payload: unknown) => {
  const heard = vi.fn();
  const client = new ChatWebSocket(tenantId, { onError: heard, onMessage: heard }, {});
  const made = await appears(() => core.sockets[0]);
  made.emit(SocketEvent.VisitorToken, payload);
  client.disconnect();
  expect(heard).not.toHaveBeenCalled();
};
const shown = async (tenantId: string) =>
  (await coreConfig(tenantId, false, {}).credentials()).visitorToken;

test('it asks for one, and then shows the one it got', async () => {
  expect(await shown('kept')).toBe('');
  await issue('kept', { token: 'visitor.abc', userId: 'anonymous-~1', expiresAt: 'later' });
  expect(await shown('kept')).toBe('visitor.abc');
  expect(Object.values(localStorage)).toContain('visitor.abc');
});

test('a token that another tab has got since is shown from the next connect on', async () => {
  await issue('tabs', { token: 'visitor.old' });
  localStorage.setItem('amoiq-chat-visitortabs', 'visitor.new');
  expect(await shown('tabs')).toBe('visitor.new');
});

test('each tenant has its own', async () => {
  await issue('one', { token: 'visitor.one' });
  expect(await shown('other')).toBe('');
});

test('what is no token leaves none', async () => {
  for (const [index, payload] of [undefined, null, {}, { token: null }].entries()) {
    fresh();
    configure({ gatewayUrl: 'https://api.example' });
    await issue(`bad-${index}`, payload);
    expect(await shown(`bad-${index}`)).toBe('');
  }
});

test('without storage it lasts as long as the page', async () => {
  const denied = () => {
    throw new Error('denied');
  };
  vi.stubGlobal('localStorage', { getItem: denied, setItem: denied, clear() {} });
  await issue('blocked', { token: 'visitor.page' });
  expect(await shown('blocked')).toBe('visitor.page');
  vi.unstubAllGlobals();
});

test('an admin neither asks for one nor shows one', async () => {
  await issue('staff', { token: 'visitor.staff' });
  configure({ apiKey: 'admin-key' });
  expect(await coreConfig('staff', true).credentials()).toEqual({ token: 'admin-key' });
  expect(await coreConfig('staff', false).credentials()).toEqual({ token: 'admin-key' });
});
