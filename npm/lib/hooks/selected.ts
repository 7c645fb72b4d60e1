/** `useOnlineCount` and `useOnlineUser`: one thing of the list. They render again only when that changes. */
import { useSyncExternalStore } from 'react';
import type { OnlineUser, OpenStore, UseOnlineUsersOptions } from '../shared.js';
import { useStore } from './useStore.js';

/**
 * How many users are online; 0 as long as that is not known.
 * @param tenantId null while it is not known: nothing is loaded and nothing connects.
 */
export function useOnlineCount(tenantId: string | null, options: UseOnlineUsersOptions = {}): number {
  const count = (store: OpenStore) => store.getSnapshot().onlineUsers.length;
  return useSelected(useStore(tenantId, options), count, 0);
}

/**
 * One user while they are online; null otherwise.
 * @param tenantId null while it is not known: nothing is loaded and nothing connects.
 */
export function useOnlineUser(
  tenantId: string | null,
  userId: string,
  options: UseOnlineUsersOptions = {},
): OnlineUser | null {
  return useSelected(useStore(tenantId, options), (store) => find(store, userId) ?? null, null);
}

function find(store: OpenStore, userId: string): OnlineUser | undefined {
  const shelf = store.shelf();
  // What was known before this store has rows of its own is in its snapshot.
  return shelf?.size
    ? shelf.rows[shelf.slots.get(userId) ?? -1]
    : store.getSnapshot().onlineUsers.find((user) => user.userId === userId);
}

/** What is selected must be the same value as long as it says the same. */
function useSelected<T>(store: OpenStore | null, select: (store: OpenStore) => T, nothing: T): T {
  return useSyncExternalStore(
    store?.subscribe ?? never,
    () => (store ? select(store) : nothing),
    () => nothing,
  );
}

const never = () => () => {};
