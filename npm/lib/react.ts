/**
 * The package's React part. Importing it has no effect and is safe on a server.
 *
 * @module @amoiq/chat-widget/react
 */
'use client';
export { useOnlineUsers, type UseOnlineUsersResult } from './hooks/useOnlineUsers.js';
export type { OnlineUser, UseOnlineUsersOptions } from './types.js';
