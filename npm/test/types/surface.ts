/** What a consumer may write. It is compiled against the built package, and never run. */
import {
  ChatAPI,
  ChatError,
  ChatWebSocket,
  configure,
  createConversation,
  createOnlineUsersStore,
  type ChatMessage,
  type ConversationMessage,
  type OnlineUser,
  type OnlineUsersQuery,
  type OnlineUsersView,
  type UseOnlineUsersOptions,
  type WebSocketCallbacks,
} from '@amoiq/chat-widget';
import {
  useConversation,
  useOnlineCount,
  useOnlineUser,
  useOnlineUsers,
  useOnlineUsersView,
} from '@amoiq/chat-widget/react';

// The guide's interfaces, word for word.
interface GuideOnlineUser {
  userId: string;
  sessionId?: string;
  connectedAt: string;
  domain?: string;
  origin?: string;
  url?: string;
}
interface GuideOptions {
  enableWebSocket?: boolean;
  pollingInterval?: number;
  autoRefresh?: boolean;
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2
  ? true
  : false;
const checks: [
  Same<{ [K in keyof OnlineUser]: OnlineUser[K] }, { [K in keyof GuideOnlineUser]: GuideOnlineUser[K] }>,
  Same<
    Pick<UseOnlineUsersOptions, keyof GuideOptions>,
    { [K in keyof GuideOptions]: GuideOptions[K] }
  >,
] = [true, true];

const callbacks: WebSocketCallbacks = {
  // A message type of the page's own.
  onMessage: (message: { id: string; text: string }) => message.text,
  onConnect: () => {},
  onDisconnect: () => {},
  onError: (error: Error) => error.message,
  onUserOnline: (user: OnlineUser) => user.userId,
  onUserOffline: (userId: string) => userId,
  onOnlineUsersList: (users: OnlineUser[]) => users.length,
};

async function use(): Promise<void> {
  configure({ gatewayUrl: 'https://a.example', websocketUrl: 'wss://a.example', apiKey: 'key' });
  configure({ getToken: async () => 'token' });
  configure({ getToken: () => null });

  const socket = new ChatWebSocket('42', callbacks, { siteId: 7 }, true);
  const { messageId, timestamp } = await socket.sendMessage('hi');
  const connected: boolean = socket.isConnected();
  socket.requestOnlineUsers();
  socket.disconnect();

  const api = new ChatAPI('42', { domain: 'shop.example' });
  const users: OnlineUser[] = await api.getOnlineUsers();
  const messages: ChatMessage[] = await api.getMessages();
  const extra: unknown = (await api.sendMessage('hi'))['aFieldOfTomorrow'];
  const session: string = await api.initializeSession();

  await socket.sendMessage('hi', { sessionId: 's', clientId: 'n-1', retry: true });

  const conversation = createConversation('42', { websiteInfo: { siteId: 7 } });
  const leave = conversation.subscribe(() => conversation.getSnapshot().messages.length);
  const name: string = conversation.send('hi');
  conversation.retry(name);
  await conversation.loadHistory();
  const last: ConversationMessage | undefined = conversation.getSnapshot().messages.at(-1);
  const state: 'pending' | 'delivered' | 'failed' | undefined = last?.state;
  const why: ChatError | null | undefined = last?.error;
  leave();
  conversation.close();
  void [state, why];

  const store = createOnlineUsersStore('42', { enableWebSocket: false });
  const stop = store.subscribe(() => store.getSnapshot().onlineUsers.length);
  stop();
  const view: OnlineUsersView = store.view({ search: 'ann', filter: { domain: 'shop.example' } });
  const query: OnlineUsersQuery = { sort: { field: 'connectedAt', direction: 'desc' }, offset: 3 };
  view.subscribe(() => view.getSnapshot().users.at(0)?.userId)();
  view.update(query);
  view.update({ sort: 'userId', filter: { urlPrefix: undefined } });
  view.close();
  try {
    await api.getOnlineUsers();
  } catch (error) {
    if (error instanceof ChatError && error.code === 'TOKEN_EXPIRED') {
      const status: number | undefined = error.status;
      void status;
    }
  }
  void [messageId, timestamp, connected, users, messages, extra, session, checks];
}

function Component(tenantId: string | null) {
  const { onlineUsers, isLoading, error, refresh, isConnected } = useOnlineUsers(tenantId, {
    enableWebSocket: true,
    pollingInterval: 10_000,
    autoRefresh: true,
  });
  const asked: Promise<void> = refresh();
  const failure: Error | null = error;
  const { users, offset, total } = useOnlineUsersView(tenantId, { limit: 10 }, { autoRefresh: true });
  const shown: readonly OnlineUser[] = users;
  const count: number = useOnlineCount(tenantId, { notifyInterval: 'frame' });
  const one: OnlineUser | null = useOnlineUser(tenantId, 'ann');
  return [onlineUsers.length, isLoading, isConnected, asked, failure, shown, offset, total, count, one];
}

function Chat(tenantId: string | null, sessionId: string) {
  const { messages, isLoading, isConnected, error, send, retry, loadHistory } = useConversation(
    tenantId,
    { sessionId },
  );
  const retryAll = () =>
    messages.forEach(({ state, clientId }) => state === 'failed' && clientId && retry(clientId));
  return [isLoading, isConnected, error?.code, send('hi').length, retryAll, loadHistory];
}

// @ts-expect-error a tenant is a string
new ChatWebSocket(42);
// @ts-expect-error there is no such option
useOnlineUsers('42', { interval: 1 });
// @ts-expect-error a window is read only
createOnlineUsersStore('42').view().getSnapshot().users.pop();
// @ts-expect-error rows cannot be sorted by that
useOnlineUsersView('42', { sort: 'sessionId' });

export { Chat, Component, use };
