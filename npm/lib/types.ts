/**
 * The public shapes. They mirror the wire (`protocol/fixtures` holds one golden document of each,
 * which the tests read), so a change here without a change there is a bug.
 *
 * Payloads may grow optional fields; objects are handed out as they came off the wire, so a field
 * that is not named here is still there.
 */

/** One user who is online now. */
export interface OnlineUser {
  userId: string;
  /** The session shown for the user: the newest one that is connected. */
  sessionId?: string;
  /** ISO-8601, UTC, with milliseconds. */
  connectedAt: string;
  domain?: string;
  origin?: string;
  url?: string;
}

/** A message of a conversation. */
export interface ChatMessage {
  id: string;
  text: string;
  sender: 'user' | 'agent' | 'bot';
  /** ISO-8601, UTC, with milliseconds. */
  timestamp: string;
  /** The session that the message came from. */
  sessionId?: string;
  userId?: string;
  tenantId?: string | number;
  readonly [field: string]: unknown;
}

/** The server's word that a message was accepted. */
export interface MessageReceipt {
  messageId: string;
  /** ISO-8601, UTC, with milliseconds. */
  timestamp: string;
}

/** Which page a visitor is on. What is left out is taken from the page itself. */
export interface WebsiteInfo {
  domain?: string;
  origin?: string;
  url?: string;
  referrer?: string;
  siteId?: string | number;
}

export interface SendOptions {
  /** The conversation to reply to; for admins. A visitor writes to their own. */
  sessionId?: string;
}

export interface WebSocketCallbacks {
  // A method, not a property: a page may declare its own, narrower message type for the parameter.
  onMessage?(message: ChatMessage): void;
  onConnect?: () => void;
  onDisconnect?: () => void;
  /** Called with a `ChatError`, whose `code` says what happened. */
  onError?: (error: Error) => void;
  onUserOnline?: (user: OnlineUser) => void;
  onUserOffline?: (userId: string) => void;
  onOnlineUsersList?: (users: OnlineUser[]) => void;
}

/** What a framework has to know of a store: `createOnlineUsersStore` makes one. */
export interface SnapshotStore<T> {
  /** Calls `listener` after each change; the result unsubscribes. */
  readonly subscribe: (listener: () => void) => () => void;
  /** The same value until something in it changes. */
  readonly getSnapshot: () => T;
}

export interface UseOnlineUsersOptions {
  /** Follow changes over a socket; otherwise, and while it is down, poll. Default: true. */
  enableWebSocket?: boolean;
  /** Milliseconds between two polls. Default: 5000. */
  pollingInterval?: number;
  /** Load the list without being asked to. Default: true. */
  autoRefresh?: boolean;
}
