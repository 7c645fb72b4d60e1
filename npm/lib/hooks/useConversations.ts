'use client';
/**
 * `useConversations`: the store of `../conversations.ts` for React 18 and later.
 *
 * The result is the same object until something in it changes; its functions keep their identity for as long as the tenant stays.
 */
import { useMemo, useSyncExternalStore } from 'react';
import {
  createConversations,
  type ConversationsSnapshot,
  type ConversationsStore,
} from '../shared.js';

/** The conversations as they are now, and how to see others. */
export interface UseConversationsResult extends ConversationsSnapshot {
  /** Reads the list now, which also happens by itself. Never rejects: what comes of it shows in the result. */
  readonly refresh: () => Promise<void>;
  /** Reads older conversations. Never rejects: what comes of it shows in the result. */
  readonly loadMore: () => Promise<void>;
}

/**
 * A tenant's conversations, in a component. For admins.
 *
 * @param tenantId null while it is not known: nothing is loaded and nothing connects.
 */
export function useConversations(tenantId: string | null): UseConversationsResult {
  const store = useMemo(() => (tenantId ? createConversations(tenantId) : idle), [tenantId]);
  const snapshot = useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot);
  return useMemo(() => {
    const { refresh, loadMore } = store;
    return { ...snapshot, refresh, loadMore };
  }, [snapshot, store]);
}

const nothing: ConversationsSnapshot = {
  conversations: [],
  hasMore: false,
  isLoading: false,
  error: null,
  isConnected: false,
};

const idle: Omit<ConversationsStore, 'close'> = {
  subscribe: () => () => {},
  getSnapshot: () => nothing,
  getServerSnapshot: () => nothing,
  refresh: async () => {},
  loadMore: async () => {},
};
