/**
 * The package's Vue part, for Vue 3.3 and later. Importing it has no effect and is safe on a server.
 *
 * What is followed ends with the component or scope that asked for it, and begins anew where the
 * tenant or the options change. On a server nothing is followed, because nothing there ends it.
 *
 * @module @amoiq/chat-widget/vue
 */
import { computed, shallowRef, toValue, watch } from 'vue';
import type { ComputedRef, MaybeRefOrGetter, ShallowRef } from 'vue';
import {
  createOnlineUsersStore,
  type OnlineUsersSnapshot,
  type OnlineUsersStore,
  type SnapshotStore,
  type UseOnlineUsersOptions,
} from './index.js';

/** A ref for each field of the snapshot. */
export type UseOnlineUsersResult = {
  readonly [K in keyof OnlineUsersSnapshot]: ComputedRef<OnlineUsersSnapshot[K]>;
} & {
  /** Asks for the list now. Never rejects: the answer shows in `onlineUsers`, a failure in `error`. */
  readonly refresh: () => Promise<void>;
};

/**
 * Who is online.
 *
 * @param tenantId null while it is not known: nothing is loaded and nothing connects.
 */
export function useOnlineUsers(
  tenantId: MaybeRefOrGetter<string | null>,
  options: MaybeRefOrGetter<UseOnlineUsersOptions> = {},
): UseOnlineUsersResult {
  const store = computed(() => {
    const tenant = toValue(tenantId);
    return tenant ? createOnlineUsersStore(tenant, toValue(options)) : nobody();
  });
  const snapshot = useSnapshot(store);
  const field = <K extends keyof OnlineUsersSnapshot>(name: K) =>
    computed(() => snapshot.value[name]);
  return {
    onlineUsers: field('onlineUsers'),
    isLoading: field('isLoading'),
    error: field('error'),
    isConnected: field('isConnected'),
    connection: field('connection'),
    refresh: () => store.value.refresh(),
  };
}

/** The snapshot of any of the package's stores, as a ref. */
export function useSnapshot<T>(store: MaybeRefOrGetter<SnapshotStore<T>>): Readonly<ShallowRef<T>> {
  const snapshot = shallowRef(toValue(store).getSnapshot());
  watch(
    () => toValue(store),
    (current, _, onCleanup) => {
      const read = () => {
        snapshot.value = current.getSnapshot();
      };
      if (typeof window !== 'undefined') {
        onCleanup(current.subscribe(read));
      }
      read();
    },
    // At once, and not after the component that shows it has been rendered with the old one.
    { immediate: true, flush: 'sync' },
  );
  return snapshot;
}

/** A store that has nothing to do. */
function nobody(): OnlineUsersStore {
  const { getServerSnapshot, ...store } = createOnlineUsersStore('', {
    enableWebSocket: false,
    autoRefresh: false,
  });
  return {
    ...store,
    subscribe: () => () => {},
    getSnapshot: getServerSnapshot,
    getServerSnapshot,
  };
}
