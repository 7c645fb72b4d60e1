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
  await expect(socket.sendMessage('hi')).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
  socket.disconnect();
  leave();
  await settled();
  expect(core.sockets).toEqual([]);
  expect(core.feeds).toEqual([]);
  expect(onError).not.toHaveBeenCalled();
});
