/** What a consumer may write in Vue and Svelte. It is compiled against the built package, and never run. */
import {
  createConversation,
  createConversations,
  createOnlineHistory,
  createOnlineUsersStore,
  type ChatError,
  type ConnectionState,
  type ConversationSnapshot,
  type ConversationsSnapshot,
  type OnlineHistorySnapshot,
  type OnlineUser,
  type OnlineUsersSnapshot,
} from '@amoiq/chat-widget';
import {
  onlineUsers,
  readable,
  type OnlineUsersReadable,
  type ReadableStore,
} from '@amoiq/chat-widget/svelte';
import {
  useOnlineUsers,
  useSnapshot,
  type UseOnlineUsersResult,
} from '@amoiq/chat-widget/vue';
import { get, type Readable } from 'svelte/store';
import { ref, type Ref } from 'vue';

function vue(): void {
  const tenant = ref<string | null>(null);
  const result: UseOnlineUsersResult = useOnlineUsers(tenant, () => ({ pollingInterval: 1000 }));
  const { onlineUsers: users, isLoading, isConnected, error, refresh } = result;
  const list: OnlineUser[] = users.value;
  const state: ConnectionState = result.connection.value.state;
  const failure: ChatError | null = error.value;
  const asked: Promise<void> = refresh();
  useOnlineUsers('42', { enableWebSocket: false });
  useOnlineUsers(() => tenant.value);
  const snapshot: Readonly<Ref<OnlineUsersSnapshot>> = useSnapshot(createOnlineUsersStore('42'));
  const said: Readonly<Ref<ConversationSnapshot>> = useSnapshot(createConversation('42'));
  const talks: Readonly<Ref<ConversationsSnapshot>> = useSnapshot(createConversations('42'));
  const hour: Readonly<Ref<OnlineHistorySnapshot>> = useSnapshot(createOnlineHistory('42'));
  void [said.value.messages, talks.value.conversations, hour.value.samples];
  void [state, isLoading.value, isConnected.value, list, failure, asked, snapshot];
  // @ts-expect-error a tenant is a string
  useOnlineUsers(42);
  // @ts-expect-error the list is the store's
  users.value = [];
}

function svelte(): void {
  const online: OnlineUsersReadable = onlineUsers('42', { autoRefresh: false });
  const store: Readable<OnlineUsersSnapshot> = online;
  const read: ReadableStore<OnlineUsersSnapshot> = readable(createOnlineUsersStore('42'));
  const list: OnlineUser[] = get(store).onlineUsers;
  const asked: Promise<void> = online.refresh();
  const talks: ReadableStore<ConversationsSnapshot> = readable(createConversations('42'));
  const hour: Readable<OnlineHistorySnapshot> = readable(createOnlineHistory('42'));
  void [list, asked, read, talks, hour];
  // @ts-expect-error there is no such option
  onlineUsers('42', { interval: 1 });
}

export { svelte, vue };
