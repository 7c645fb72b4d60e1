/** `useOnlineCount` and `useOnlineUser`: one thing of the list. They render again only when that changes. */
import { useMemo, useSyncExternalStore } from 'react';
import type { OnlineUser, OpenStore, UseOnlineUsersOptions } from '../shared.js';
import { useStore } from './useStore.js';

/**
 * How many users are online; 0 as long as that is not known.
 * @param tenantId null while it is not known: nothing is loaded and nothing connects.
 */
export function useOnlineCount(tenantId: string | null, options: UseOnlineUsersOptions = {}): number {
  const store = useStore(tenantId, options);
  return useSyncExternalStore(
    store?.subscribe ?? never,
    () => store?.getSnapshot().onlineUsers.length ?? 0,
    () => 0,
  );
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
  const store = useStore(tenantId, options);
  const user = useMemo(() => store && follow(store, userId), [store, userId]);
  return useSyncExternalStore(
    user?.subscribe ?? never,
    () => user?.get() ?? null,
    () => null,
  );
}

/** One user by their place among the rows: a page may show many of them beside a long list. */
function follow(store: OpenStore, userId: string) {
  let followed: ReturnType<OpenStore['follow']> | undefined;
  return {
    subscribe(listener: () => void) {
      const mine = store.follow(() => {
        mine.now().rows?.users();
        listener();
      });
      mine.now().rows?.users();
      followed = mine;
      return () => {
        // Not at once: who comes back in one go finds the connection still there.
        queueMicrotask(mine.release);
      };
    },
    get(): OnlineUser | undefined {
      const { rows, isLoading = true } = followed?.now() ?? {};
      return rows && !isLoading
        ? rows.rows[rows.slots.get(userId) ?? -1]
        : store.getSnapshot().onlineUsers.find((user) => user.userId === userId);
    },
  };
}

const never = () => () => {};
