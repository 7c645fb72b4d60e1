/**
 * The public shapes. They mirror the wire (`protocol/fixtures` holds one golden document of each,
 * which the tests read), so a change here without a change there is a bug.
 *
 * Payloads may grow optional fields; objects are handed out as they came off the wire, so a field
 * that is not named here is still there.
 */
import type { Abortable } from './abort.js';
import type { Connection } from './connection.js';

/** One user who is online now. */
export interface OnlineUser {
  /** `sub` of the user's token, or `anonymous-…` of a visitor without one. */
  userId: string;
  /** The session shown for the user: the newest one that is connected. */
  sessionId?: string;
  /** ISO-8601, UTC, with milliseconds. */
  connectedAt: string;
  /** Host name of the page that the user is on. */
  domain?: string;
  /** Origin of that page. */
  origin?: string;
  /** Address of that page. */
  url?: string;
  /** Title of that page. This and what follows is there for visitors whose page reports the visit. */
  title?: string;
  /** Where the visit came from. */
  referrer?: string;
  /** The page with which the visit began. */
  firstPage?: string;
  /** When the visit began, written like `connectedAt`. */
  startedAt?: string;
  /** How often this browser has visited, this time included: 1 is a new visitor. */
  visits?: number;
  /** Since when the visitor has done nothing; absent while they are active. */
  idleSince?: string;
  /** How many sessions of the user are connected; absent if it is one. */
  tabs?: number;
}

/** A message of a conversation. */
export interface ChatMessage {
  /** The server's id of the message. */
  id: string;
  /** What was said. Text, not markup. */
  text: string;
  /** Who said it: the visitor, someone of the staff, or a program. */
  sender: 'user' | 'agent' | 'bot';
  /** ISO-8601, UTC, with milliseconds. */
  timestamp: string;
  /** The session that the message came from. */
  sessionId?: string;
  /** The user whose conversation it is. */
  userId?: string;
  /** The tenant whose conversation it is. */
  tenantId?: string | number;
  /** The sender's name for it, if they gave it one. */
  clientId?: string;
  readonly [field: string]: unknown;
}

/** What staff see of a conversation without opening it. */
export interface ConversationSummary {
  /** Whose conversation it is: the same text for as long as there is one. */
  id: string;
  /** A session to join or to answer it with. */
  sessionId: string;
  /** The visitor. */
  userId: string;
  /** When something was last said: ISO-8601, UTC, with milliseconds. */
  updatedAt: string;
  /** What was said last. While its `sender` is `user`, the visitor waits for an answer. */
  lastMessage: ChatMessage;
}

/** How many users were online in one minute. */
export interface OnlineSample {
  /** When the minute began: ISO-8601, UTC. */
  at: string;
  /** How many there were at its end, in the last sample: are now; null if nobody counted. */
  online: number | null;
  /** The most that there were at once; null if nobody counted. */
  peak: number | null;
}

/** The server's word that a message was accepted. */
export interface MessageReceipt {
  /** `id` of the message, as others see it. */
  messageId: string;
  /** ISO-8601, UTC, with milliseconds. */
  timestamp: string;
}

/** Which page a visitor is on. What is left out is taken from the page itself. */
export interface WebsiteInfo {
  /** Host name of the page. Default: the page's own. */
  domain?: string;
  /** Origin of the page. Default: the page's own. */
  origin?: string;
  /** Address of the page. Default: the page's own. */
  url?: string;
  /** Where the visitor came from. Default: what the browser says. */
  referrer?: string;
  /** Which of the tenant's sites it is. Default: none. */
  siteId?: string | number;
}

/** What a message may be sent with. */
export interface SendOptions extends Abortable {
  /** The conversation to reply to; for admins. A visitor writes to their own. */
  sessionId?: string | undefined;
  /**
   * Your name for the message, 1 to 64 of `A-Z a-z 0-9 _ -`, and no other message's. The server takes a text once
   * under a name, and tells the name with the message.
   */
  clientId?: string | undefined;
  /** It may have been sent before, under the same `clientId`: then it is not taken twice. */
  retry?: boolean | undefined;
}

/** What a `ChatWebSocket` calls. An exception in one is reported to the page and stops nothing. */
export interface WebSocketCallbacks {
  /** A message of a conversation that this client takes part in, its own included. */
  // A method, not a property: a page may declare its own, narrower message type for the parameter.
  onMessage?(message: ChatMessage): void;
  /** The connection is up, at first or again. */
  onConnect?: () => void;
  /** The connection that was up is lost; it comes back by itself unless `onError` says otherwise. */
  onDisconnect?: () => void;
  /** Called whenever the connection's state changes, or why it is not live. */
  onStateChange?: (connection: Connection) => void;
  /** Called with a `ChatError`, whose `code` says what happened. */
  onError?: (error: Error) => void;
  /** A user has come online, or is online by another session now. For admins. */
  onUserOnline?: (user: OnlineUser) => void;
  /** The user's last session is gone. For admins. */
  onUserOffline?: (userId: string) => void;
  /** The answer to `requestOnlineUsers`. For admins. */
  onOnlineUsersList?: (users: OnlineUser[]) => void;
}

/** What a framework has to know of a store: `createOnlineUsersStore` makes one. */
export interface SnapshotStore<T> {
  /** Calls `listener` after each change; the result unsubscribes. */
  readonly subscribe: (listener: () => void) => () => void;
  /** The same value until something in it changes. */
  readonly getSnapshot: () => T;
}

/** How a list of online users is kept true. */
export interface UseOnlineUsersOptions {
  /** Follow changes over a socket; otherwise, and while it is down, poll. Default: true. */
  enableWebSocket?: boolean;
  /** Milliseconds between two polls. Default: 5000. */
  pollingInterval?: number;
  /** Fetch the list without being asked to, and poll. Otherwise it comes by the socket and by `refresh`. Default: true. */
  autoRefresh?: boolean;
  /**
   * How often changes of the list are shown at most: once per frame of the page, or once in so many
   * milliseconds. Default: 'frame'.
   */
  notifyInterval?: 'frame' | number;
}
