/**
 * The package's React part. Importing it has no effect and is safe on a server.
 *
 * @module @amoiq/chat-widget/react
 */
'use client';
export { ConnectionStatus, type ConnectionStatusProps, type ConnectionStatusTexts } from './components/ConnectionStatus.js';
export {
  ConversationList,
  type ConversationListProps,
  type ConversationListTexts,
} from './components/ConversationList.js';
export {
  ConversationPanel,
  type ConversationPanelProps,
  type ConversationPanelTexts,
  type KnownVisitor,
} from './components/ConversationPanel.js';
export { Elapsed, type ElapsedProps } from './components/Elapsed.js';
export {
  OnlineHistoryChart,
  type OnlineHistoryChartProps,
  type OnlineHistoryChartTexts,
} from './components/OnlineHistoryChart.js';
export {
  OnlineUsersExample,
  type OnlineUsersExampleProps,
  type OnlineUsersExampleTexts,
} from './components/OnlineUsersExample.js';
export { ownerOf, pageAddress, type PageAddress, visitorName } from './components/people.js';
export { VisitorAvatar, type VisitorAvatarProps } from './components/VisitorAvatar.js';
export { useOnlineCount, useOnlineUser } from './hooks/selected.js';
export { useConversation, type UseConversationResult } from './hooks/useConversation.js';
export { useConversations, type UseConversationsResult } from './hooks/useConversations.js';
export { useOnlineHistory } from './hooks/useOnlineHistory.js';
export { useOnlineUsers, type UseOnlineUsersResult } from './hooks/useOnlineUsers.js';
export { useOnlineUsersView } from './hooks/useOnlineUsersView.js';
export type { ConversationOptions } from './conversation.js';
export type { ConversationMessage } from './conversation/log.js';
export type { OnlineHistorySnapshot } from './online-history.js';
export type {
  ConversationSummary,
  OnlineSample,
  OnlineUser,
  UseOnlineUsersOptions,
} from './types.js';
export type { OnlineUsersGroup, OnlineUsersQuery, OnlineUsersViewSnapshot } from './view/types.js';
