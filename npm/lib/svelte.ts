/**
 * The package's Svelte part: its stores by Svelte's store contract, so that `$store` reads them. It
 * needs nothing of Svelte. Importing it has no effect and is safe on a server.
 *
 * The first subscriber starts the work, the last one to leave ends it.
 *
 * @module @amoiq/chat-widget/svelte
 */
import {
  createOnlineUsersStore,
  type OnlineUsersSnapshot,
  type SnapshotStore,
  type UseOnlineUsersOptions,
} from './index.js';

/** What Svelte calls a readable store. */
export interface ReadableStore<T> {
  /** Calls `run` with the value at once and after each change; the result unsubscribes. */
  readonly subscribe: (run: (value: T) => void) => () => void;
}

/** Who is online, as a readable store. */
export interface OnlineUsersReadable extends ReadableStore<OnlineUsersSnapshot> {
  /** Asks for the list now. Never rejects: the answer shows in the value. */
  readonly refresh: () => Promise<void>;
}

/** Who is online: `const online = onlineUsers(tenantId)`, then `$online.onlineUsers` in the markup. */
export function onlineUsers(
  tenantId: string,
  options: UseOnlineUsersOptions = {},
): OnlineUsersReadable {
  const store = createOnlineUsersStore(tenantId, options);
  return { ...readable(store), refresh: store.refresh };
}

/** Any of the package's stores as a readable one. */
export function readable<T>(store: SnapshotStore<T>): ReadableStore<T> {
  return {
    subscribe(run) {
      const leave = store.subscribe(() => run(store.getSnapshot()));
      run(store.getSnapshot());
      return leave;
    },
  };
}
