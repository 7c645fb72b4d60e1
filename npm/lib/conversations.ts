/**
 * A tenant's conversations for its staff, as an external store: `subscribe` and `getSnapshot`, nothing of any framework.
 *
 * - A snapshot is the same object until something in it changes; changes that come in quick succession show once per frame.
 * - The first subscriber starts the work, the last one to leave ends it. Stores of the same tenant share one connection and
 *   all that was read.
 * - A failure keeps the last list and stands beside it in `error`. A server without such a list is a failure, too.
 */
import { Feed } from './conversations/feed.js';
import type { ChatError } from './errors.js';
import { sharedStore } from './shared-store.js';
import type { ConversationSummary } from './types.js';

/** What is known of a tenant's conversations at one moment. It never changes: something new is a new snapshot. */
export interface ConversationsSnapshot {
  /** The one in which something was last said first; the same array until it changes. */
  readonly conversations: readonly ConversationSummary[];
  /** There are older ones, which `loadMore` reads. */
  readonly hasMore: boolean;
  /** No list has arrived yet and one is on its way. */
  readonly isLoading: boolean;
  /** Why the list may be out of date; null while all is well. */
  readonly error: ChatError | null;
  /** What is said shows as it is said; otherwise the list is read every 15 seconds. */
  readonly isConnected: boolean;
}

/** A tenant's conversations, for any framework or none. */
export interface ConversationsStore {
  /** Calls `listener` after each change; the result unsubscribes. */
  readonly subscribe: (listener: () => void) => () => void;
  /** What is known now: the same object until something in it changes. */
  readonly getSnapshot: () => ConversationsSnapshot;
  /** What a server renders. */
  readonly getServerSnapshot: () => ConversationsSnapshot;
  /**
   * Reads the list now, which also happens by itself; what could not be begun is begun anew. Never rejects, and does
   * nothing without subscribers.
   */
  readonly refresh: () => Promise<void>;
  /** Reads older conversations. Never rejects: what comes of it shows in the snapshot. Without subscribers it does nothing. */
  readonly loadMore: () => Promise<void>;
  /** Drops all subscribers. */
  readonly close: () => void;
}

const atFirst: ConversationsSnapshot = {
  conversations: [],
  hasMore: false,
  isLoading: true,
  error: null,
  isConnected: false,
};

/**
 * A store of the conversations of a tenant. It does nothing before its first subscriber; stores for the same tenant share one
 * connection. For admins.
 */
export function createConversations(tenantId: string): ConversationsStore {
  const { work, ...store } = sharedStore(
    'conversations',
    tenantId,
    atFirst,
    { isConnected: false },
    (known, set) => new Feed(tenantId, known, set),
  );
  return {
    ...store,
    refresh: async () => work()?.refresh(),
    loadMore: async () => work()?.loadMore(),
  };
}
