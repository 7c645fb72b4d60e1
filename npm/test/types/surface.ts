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
  type UseOnlineUsersOptions,
  type WebSocketCallbacks,
} from '@amoiq/chat-widget';
import { useConversation, useOnlineUsers } from '@amoiq/chat-widget/react';

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
    { [K in keyof UseOnlineUsersOptions]: UseOnlineUsersOptions[K] },
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
  return [onlineUsers.length, isLoading, isConnected, asked, failure];
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

export { Chat, Component, use };
