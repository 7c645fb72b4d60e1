/** What a consumer may write. It is compiled against the built package, and never run. */
import {
  ChatAPI,
  ChatError,
  ChatWebSocket,
  configure,
  createConversation,
  createConversations,
  createOnlineHistory,
  createOnlineUsersStore,
  followVisit,
  WebSocketOrPolling,
  type Abortable,
  type ChatConfig,
  type ChatErrorCode,
  type ChatWidget,
  type ChatWidgetCommand,
  type ChatWidgetConfig,
  type ChatWidgetEvent,
  type ChatWidgetEvents,
  type ChatWidgetIdentity,
  type ChatWidgetListener,
  type ChatWidgetTexts,
  type ChatMessage,
  type ClientErrorCode,
  type CoreFallback,
  type MessageReceipt,
  type Conversation,
  type Connection,
  type ConnectionState,
  type ConversationMessage,
  type ConversationOptions,
  type ConversationSnapshot,
  type ConversationsSnapshot,
  type ConversationsStore,
  type ConversationSummary,
  type OnlineHistorySnapshot,
  type OnlineHistoryStore,
  type OnlineSample,
  type OnlineUser,
  type OnlineUsersSnapshot,
  type OnlineUsersStore,
  type SendOptions,
  type ServerErrorCode,
  type SnapshotStore,
  type OnlineUsersFilter,
  type OnlineUsersGroup,
  type OnlineUsersGroupField,
  type OnlineUsersQuery,
  type OnlineUsersSortField,
  type OnlineUsersView,
  type OnlineUsersViewSnapshot,
  type UseOnlineUsersOptions,
  type Visit,
  type VisitOptions,
  type VisitSnapshot,
  type WebSocketCallbacks,
  type WebSocketClass,
  type WebsiteInfo,
} from '@amoiq/chat-widget';
import { startCore, startView } from '@amoiq/chat-widget/no-wasm';
import {
  useConversation,
  type UseConversationResult,
  useConversations,
  type UseConversationsResult,
  useOnlineCount,
  useOnlineHistory,
  useOnlineUser,
  useOnlineUsers,
  useOnlineUsersView,
  type UseOnlineUsersResult,
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
  Same<Pick<OnlineUser, keyof GuideOnlineUser>, Pick<GuideOnlineUser, keyof GuideOnlineUser>>,
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
  const loader: NonNullable<ChatConfig['fallback']> = () => import('@amoiq/chat-widget/no-wasm');
  const fallback: CoreFallback = { startCore, startView };
  configure({ fallback: loader });
  configure({ fallback: async () => fallback });

  const socket = new ChatWebSocket('42', callbacks, { siteId: 7 }, true);
  const to: SendOptions = { sessionId: 's1' };
  const { messageId, timestamp }: MessageReceipt = await socket.sendMessage('hi', to);
  const connected: boolean = socket.isConnected();
  socket.requestOnlineUsers();
  socket.disconnect();

  const page: WebsiteInfo = { domain: 'shop.example', url: '/', siteId: 7, referrer: '', origin: '' };
  const api = new ChatAPI('42', page);
  const users: OnlineUser[] = await api.getOnlineUsers();
  const messages: ChatMessage[] = await api.getMessages();
  const extra: unknown = (await api.sendMessage('hi'))['aFieldOfTomorrow'];
  const session: string = await api.initializeSession();

  await socket.sendMessage('hi', { sessionId: 's', clientId: 'n-1', retry: true });

  const speaker: ConversationOptions = { websiteInfo: { siteId: 7 } };
  const conversation: Conversation = createConversation('42', speaker);
  const said: ConversationSnapshot = conversation.getServerSnapshot();
  const leave = conversation.subscribe(() => conversation.getSnapshot().messages.length);
  const name: string = conversation.send('hi');
  conversation.retry(name);
  conversation.retry(name, 'hi');
  await conversation.loadHistory();
  const last: ConversationMessage | undefined = conversation.getSnapshot().messages.at(-1);
  const state: 'pending' | 'delivered' | 'failed' | undefined = last?.state;
  const why: ChatError | null | undefined = last?.error;
  leave();
  conversation.close();
  void [state, why, said];

  const store: OnlineUsersStore = createOnlineUsersStore('42', { enableWebSocket: false });
  const seen: SnapshotStore<OnlineUsersSnapshot> = store;
  const first: OnlineUsersSnapshot = store.getServerSnapshot();
  const known: ChatError | null = seen.getSnapshot().error;
  const asked: Promise<void> = store.refresh();
  const stop = store.subscribe(() => store.getSnapshot().onlineUsers.length);
  stop();
  const view: OnlineUsersView = store.view({ search: 'ann', filter: { domain: 'shop.example' } });
  const query: OnlineUsersQuery = { sort: { field: 'connectedAt', direction: 'desc' }, offset: 3 };
  view.subscribe(() => view.getSnapshot().users.at(0)?.userId)();
  view.update(query);
  const filter: OnlineUsersFilter = { urlPrefix: 'https://shop.example/cart' };
  const sort: OnlineUsersSortField = 'connectedAt';
  view.update({ filter, sort });
  const window: OnlineUsersViewSnapshot = view.getServerSnapshot();
  view.update({ sort: 'userId', filter: { urlPrefix: undefined } });
  const group: OnlineUsersGroupField = 'url';
  view.update({ group, filter: { idle: false, returning: true }, sort: { field: 'visits' } });
  const pages: readonly OnlineUsersGroup[] = view.getSnapshot().groups;
  const groupTotal: number = view.getSnapshot().groupTotal;
  void [pages.map(({ value, count }) => value.repeat(count)), groupTotal];
  view.close();
  store.close();

  const desk: ConversationsStore = createConversations('42');
  const listed: ConversationsSnapshot = desk.getServerSnapshot();
  desk.subscribe(() => desk.getSnapshot().conversations)();
  await desk.refresh();
  await desk.loadMore();
  desk.close();
  const talk: ConversationSummary | undefined = listed.conversations[0];
  const waits: boolean = talk?.lastMessage.sender === 'user';
  const history: OnlineHistoryStore = createOnlineHistory('42');
  const hour: OnlineHistorySnapshot = history.getServerSnapshot();
  history.subscribe(() => history.getSnapshot().samples)();
  history.close();
  const sample: OnlineSample | undefined = hour.samples.at(-1);
  const tells: SnapshotStore<OnlineHistorySnapshot>[] = [history];
  void [waits, sample?.online, sample?.peak, tells];
  try {
    await api.getOnlineUsers();
  } catch (error) {
    if (error instanceof ChatError && error.code === 'TOKEN_EXPIRED') {
      const status: number | undefined = error.status;
      const help: string = error.help;
      void [status, help];
    }
  }
  // Codes of today complete in an editor; one of tomorrow is a code all the same.
  const codes: (ChatErrorCode | ClientErrorCode | ServerErrorCode)[] = ['TIMEOUT', 'TOMORROW'];
  const made: ChatError = new ChatError('TIMEOUT', 'too late', 504);
  void [messageId, timestamp, connected, users, messages, extra, session, checks];
  void [first, known, asked, codes, made, window];
}

function Component(tenantId: string | null) {
  const result: UseOnlineUsersResult = useOnlineUsers(tenantId, {
    enableWebSocket: true,
    pollingInterval: 10_000,
    autoRefresh: true,
  });
  const { onlineUsers, isLoading, error, refresh, isConnected } = result;
  const asked: Promise<void> = refresh();
  const failure: Error | null = error;
  const { users, offset, total } = useOnlineUsersView(tenantId, { limit: 10 }, { autoRefresh: true });
  const shown: readonly OnlineUser[] = users;
  const count: number = useOnlineCount(tenantId, { notifyInterval: 'frame' });
  const one: OnlineUser | null = useOnlineUser(tenantId, 'ann');
  return [onlineUsers.length, isLoading, isConnected, asked, failure, shown, offset, total, count, one];
}

function Chat(tenantId: string | null, sessionId: string) {
  const result: UseConversationResult = useConversation(tenantId, { sessionId });
  const { messages, isLoading, isConnected, error, send, retry, loadHistory } = result;
  const retryAll = () =>
    messages.forEach(({ state, clientId }) => state === 'failed' && clientId && retry(clientId));
  return [isLoading, isConnected, error?.code, send('hi').length, retryAll, loadHistory];
}

// A visit is a store like others, and the class for blocked networks goes where any class goes.
function visitor(options: VisitOptions): void {
  configure({ WebSocket: WebSocketOrPolling });
  const visit: Visit = followVisit(options);
  const store: SnapshotStore<VisitSnapshot> = visit;
  const { url, title, referrer, firstPage, startedAt, visits, idleSince } = store.getSnapshot();
  const texts: (string | undefined)[] = [url, title, firstPage, referrer];
  const numbers: (number | null)[] = [startedAt, visits, idleSince];
  createConversation('42', { visit, keepUnsent: true }).close();
  visit.close();
  void [texts, numbers];
}

// @ts-expect-error what a visit was is not changed here
followVisit().getSnapshot().visits = 1;

function Desk(tenantId: string | null) {
  const result: UseConversationsResult = useConversations(tenantId);
  const { conversations, hasMore, refresh, loadMore, isConnected, isLoading, error } = result;
  void refresh();
  const { samples } = useOnlineHistory(tenantId);
  const { groups } = useOnlineUsersView(tenantId, { group: 'domain' });
  return [conversations, hasMore && loadMore(), isConnected, isLoading, error?.code, samples, groups];
}

// @ts-expect-error a tenant is a string
new ChatWebSocket(42);
// @ts-expect-error there is no such option
useOnlineUsers('42', { interval: 1 });
// @ts-expect-error a fallback is loaded, not given
configure({ fallback: { startCore, startView } });
// @ts-expect-error what a server has said is not changed here
createOnlineUsersStore('42').getSnapshot().isLoading = false;
// @ts-expect-error a window is read only
createOnlineUsersStore('42').view().getSnapshot().users.pop();
// @ts-expect-error rows cannot be sorted by that
useOnlineUsersView('42', { sort: 'sessionId' });
// @ts-expect-error nor grouped by that
useOnlineUsersView('42', { group: 'userId' });


// A connection's state is a closed set, and its reason one of our errors.
async function manners(signal: AbortSignal): Promise<void> {
  const socketClass: WebSocketClass = WebSocket;
  const abortable: Abortable = { signal };
  configure({ gatewayUrl: 'https://h', requestTimeout: 1000, WebSocket: socketClass });
  await new ChatAPI('42').getOnlineUsers(abortable);
  const say = ({ state, error }: Connection): string => {
    switch (state) {
      case 'idle':
      case 'connecting':
      case 'live':
      case 'polling':
        return state;
      case 'backoff':
      case 'closed':
        return error?.code ?? state;
    }
  };
  const socket = new ChatWebSocket('42', { onStateChange: say }, undefined, true, { signal });
  const state: ConnectionState = socket.state;
  await socket.sendMessage('hi', { signal });
  const api = new ChatAPI('42');
  await api.getOnlineUsers({ signal });
  await api.getMessages('s', { signal });
  await api.sendMessage('hi', { signal });
  await api.initializeSession({ signal });
  void [state, useOnlineUsers('42').connection.error?.message];
}

export { Chat, Component, Desk, manners, use, visitor };

// The script tag's page.
declare global {
  interface Window {
    ChatWidget?: ChatWidget | ChatWidgetCommand[];
    ChatWidgetConfig?: ChatWidgetConfig;
  }
}
const texts: Partial<ChatWidgetTexts> = { title: 'Ask us' };
window.ChatWidgetConfig = { tenantId: 42, texts: { de: texts, en: { send: 'Go' } }, getToken: async () => 'jwt' };
const heardOf: ChatWidgetListener<'unread'> = ({ count }) => void count.toFixed();
const told: ChatWidgetEvent = 'unread';
const ann: ChatWidgetIdentity = { token: 'jwt' };
(window.ChatWidget ||= []).push(['on', told, heardOf], ['identify', ann], ['open']);
(window.ChatWidget ||= []).push(['on', 'unread', ({ count }: ChatWidgetEvents['unread']) => void count.toFixed()]);
export function whoSaid({ sender, text }: ChatWidgetEvents['message']): string {
  return `${sender}: ${text}`;
}
// @ts-expect-error there is no such command
(window.ChatWidget ||= []).push(['opne']);
// @ts-expect-error nor such a theme
window.ChatWidgetConfig = { tenantId: '42', theme: 'pink' };
