'use client';
/** The package's React part. Importing it has no effect and is safe on a server. */
export { useConversation, type UseConversationResult } from './hooks/useConversation.js';
export { useOnlineUsers, type UseOnlineUsersResult } from './hooks/useOnlineUsers.js';
export type { ConversationOptions } from './conversation.js';
export type { ConversationMessage } from './conversation/log.js';
export type { OnlineUser, UseOnlineUsersOptions } from './types.js';
