'use client';
/** `useOnlineHistory`: the store of `../online-history.ts` for React 18 and later. */
import { useMemo, useSyncExternalStore } from 'react';
import {
  createOnlineHistory,
  type OnlineHistorySnapshot,
  type OnlineHistoryStore,
} from '../shared.js';

/**
 * How many users were online in the last hour, in a component. For admins.
 *
 * @param tenantId null while it is not known: nothing is loaded.
 */
export function useOnlineHistory(tenantId: string | null): OnlineHistorySnapshot {
  const store = useMemo(() => (tenantId ? createOnlineHistory(tenantId) : idle), [tenantId]);
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot);
}

const nothing: OnlineHistorySnapshot = { samples: [], isLoading: false, error: null };

const idle: Omit<OnlineHistoryStore, 'close'> = {
  subscribe: () => () => {},
  getSnapshot: () => nothing,
  getServerSnapshot: () => nothing,
};
