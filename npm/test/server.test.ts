// @vitest-environment node
/** Outside a browser everything can be imported and constructed, and nothing happens. */
import { beforeEach, expect, test, vi } from 'vitest';
import { core, fresh, settled } from './support.js';

beforeEach(fresh);

test('importing and constructing do nothing', async () => {
  const { ChatAPI, ChatWebSocket, configure, createOnlineUsersStore } = await import(
    '../lib/index.js'
  );
  await import('../lib/react.js');
  configure({ gatewayUrl: 'https://api.example' });
  const onError = vi.fn();
  const socket = new ChatWebSocket('42', { onError });
  new ChatAPI('42');
  const leave = createOnlineUsersStore('42').subscribe(() => {});
  socket.requestOnlineUsers();
  expect(socket.isConnected()).toBe(false);
  expect(socket.state).toBe('idle');
  await expect(socket.sendMessage('hi')).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
  socket.disconnect();
  leave();
  await settled();
  expect(core.sockets).toEqual([]);
  expect(core.feeds).toEqual([]);
  expect(onError).not.toHaveBeenCalled();
});

test('with a WebSocket that is given, they run as in a page', async () => {
  const { ChatWebSocket, configure, createOnlineUsersStore } = await import('../lib/index.js');
  class Given {
    send() {}
    close() {}
  }
  configure({ gatewayUrl: 'https://api.example', WebSocket: Given });
  const socket = new ChatWebSocket('42');
  expect(socket.state).toBe('connecting');
  const leave = createOnlineUsersStore('42').subscribe(() => {});
  await settled();
  expect(core.sockets).toHaveLength(1);
  expect(core.sockets[0]?.config.settings().WebSocket).toBe(Given);
  expect(core.feeds).toHaveLength(1);
  leave();
  socket.disconnect();
  await settled();
  expect(core.feeds[0]?.closed).toBe(true);
});
