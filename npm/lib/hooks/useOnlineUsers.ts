'use client';
/**
 * `useOnlineUsers`: the store of `../store.ts` for React 18 and later.
 *
 * The result is the same object until something in it changes; `refresh` keeps its identity for as
 * long as tenant and options stay.
 */
import { useMemo, useSyncExternalStore } from 'react';
import {
  createOnlineUsersStore,
  type OnlineUsersSnapshot,
  type OnlineUsersStore,
  type UseOnlineUsersOptions,
} from '../index.js';

export interface UseOnlineUsersResult extends OnlineUsersSnapshot {
  /** Asks for the list now. Never rejects: the answer shows in `onlineUsers`, a failure in `error`. */
  readonly refresh: () => Promise<void>;
}

/**
 * Who is online, in a component.
 *
 * @param tenantId null while it is not known: nothing is loaded and nothing connects.
 */
export function useOnlineUsers(
  tenantId: string | null,
  options: UseOnlineUsersOptions = {},
): UseOnlineUsersResult {
  const {
    enableWebSocket = true,
    pollingInterval = 5000,
    autoRefresh = true,
    notifyInterval = 'frame',
  } = options;
  const store = useMemo(
    () =>
      tenantId
        ? createOnlineUsersStore(tenantId, {
            enableWebSocket,
            pollingInterval,
            autoRefresh,
            notifyInterval,
          })
        : idle,
    [tenantId, enableWebSocket, pollingInterval, autoRefresh, notifyInterval],
  );
  const snapshot = useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot);
  return useMemo(() => ({ ...snapshot, refresh: store.refresh }), [snapshot, store]);
}

const nothing: OnlineUsersSnapshot = {
  onlineUsers: [],
  isLoading: false,
  error: null,
  isConnected: false,
};

const idle: Omit<OnlineUsersStore, 'close'> = {
  subscribe: () => () => {},
  getSnapshot: () => nothing,
  getServerSnapshot: () => nothing,
  refresh: async () => {},
};
