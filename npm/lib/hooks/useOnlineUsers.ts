'use client';
/**
 * `useOnlineUsers`: the store of `../store.ts` for React 18 and later.
 *
 * The result is the same object until something in it changes; `refresh` keeps its identity for as
 * long as tenant and options stay.
 */
import { useMemo, useSyncExternalStore } from 'react';
import type { OnlineUsersSnapshot, OpenStore, UseOnlineUsersOptions } from '../shared.js';
import { useStore } from './useStore.js';

/** Who is online, and how to ask for it. */
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
  options?: UseOnlineUsersOptions,
): UseOnlineUsersResult {
  const store = useStore(tenantId, options) ?? idle;
  const snapshot = useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot);
  return useMemo(() => ({ ...snapshot, refresh: store.refresh }), [snapshot, store]);
}

const nothing: OnlineUsersSnapshot = {
  onlineUsers: [],
  isLoading: false,
  error: null,
  isConnected: false,
  connection: { state: 'idle', error: null },
};

const idle: Omit<OpenStore, 'close' | 'follow'> = {
  subscribe: () => () => {},
  getSnapshot: () => nothing,
  getServerSnapshot: () => nothing,
  refresh: async () => {},
};
