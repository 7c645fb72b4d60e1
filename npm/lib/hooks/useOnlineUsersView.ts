/**
 * `useOnlineUsersView`: a live window on the filtered, searched and sorted list, for lists that are too long to
 * be rendered whole.
 *
 * A query may be written in place: only what it says matters. A changed one takes effect after the render, so
 * `offset` in the result says where `users` begin.
 */
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import {
  openView,
  type OnlineUsersQuery,
  type OnlineUsersView,
  type OnlineUsersViewSnapshot,
  type UseOnlineUsersOptions,
} from '../shared.js';
import { useStore } from './useStore.js';

/**
 * A live window on who is online, in a component.
 *
 * @param tenantId null while it is not known: nothing is loaded and nothing connects.
 */
export function useOnlineUsersView(
  tenantId: string | null,
  query: OnlineUsersQuery = {},
  options: UseOnlineUsersOptions = {},
): OnlineUsersViewSnapshot {
  const store = useStore(tenantId, options);
  const view = useMemo(() => (store ? openView(store) : idle), [store]);
  const said = JSON.stringify(query);
  useEffect(() => view.update(query), [view, said]);
  return useSyncExternalStore(view.subscribe, view.getSnapshot, view.getServerSnapshot);
}

const nothing: OnlineUsersViewSnapshot = {
  users: [],
  offset: 0,
  total: 0,
  groups: [],
  groupTotal: 0,
  isLoading: false,
  error: null,
};

const idle: Omit<OnlineUsersView, 'close'> = {
  subscribe: () => () => {},
  getSnapshot: () => nothing,
  getServerSnapshot: () => nothing,
  update: () => {},
};
