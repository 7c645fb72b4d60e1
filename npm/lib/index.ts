/**
 * The package without any framework. Importing it has no effect and is safe on a server.
 *
 * @module @amoiq/chat-widget
 */
export { ChatAPI } from './api.js';
export type { Abortable } from './abort.js';
export { configure, type ChatConfig, type CoreFallback, type WebSocketClass } from './config.js';
export type { Connection, ConnectionState } from './connection.js';
export {
  createConversation,
  type Conversation,
  type ConversationOptions,
} from './conversation.js';
export type { ConversationMessage } from './conversation/log.js';
export type { ConversationSnapshot } from './conversation/room.js';
export {
  createConversations,
  type ConversationsSnapshot,
  type ConversationsStore,
} from './conversations.js';
export {
  createOnlineHistory,
  type OnlineHistorySnapshot,
  type OnlineHistoryStore,
} from './online-history.js';
export { ChatError, type ChatErrorCode, type ClientErrorCode, type ServerErrorCode } from './errors.js';
export {
  createOnlineUsersStore,
  type OnlineUsersSnapshot,
  type OnlineUsersStore,
} from './store.js';
export type {
  ChatMessage,
  ConversationSummary,
  MessageReceipt,
  OnlineSample,
  OnlineUser,
  SendOptions,
  SnapshotStore,
  UseOnlineUsersOptions,
  WebsiteInfo,
  WebSocketCallbacks,
} from './types.js';
export type {
  OnlineUsersFilter,
  OnlineUsersGroup,
  OnlineUsersGroupField,
  OnlineUsersQuery,
  OnlineUsersSortField,
  OnlineUsersView,
  OnlineUsersViewSnapshot,
} from './view/types.js';
export { followVisit, type Visit, type VisitOptions, type VisitSnapshot } from './visit.js';
export { WebSocketOrPolling } from './polling.js';
export type {
  ChatWidget,
  ChatWidgetCommand,
  ChatWidgetConfig,
  ChatWidgetEvent,
  ChatWidgetEvents,
  ChatWidgetIdentity,
  ChatWidgetListener,
  ChatWidgetTexts,
} from './widget/public.js';
export { ChatWebSocket } from './ws.js';
