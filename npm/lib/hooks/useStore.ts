/** The store behind all hooks: one for a tenant and options, whose connection all of them share. */
import { useMemo } from 'react';
import { openStore, type OpenStore, type UseOnlineUsersOptions } from '../shared.js';

/** @param tenantId null while it is not known: there is no store then. */
export function useStore(
  tenantId: string | null,
  {
    enableWebSocket = true,
    pollingInterval = 5000,
    autoRefresh = true,
    notifyInterval = 'frame',
  }: UseOnlineUsersOptions = {},
): OpenStore | null {
  return useMemo(
    () =>
      tenantId
        ? openStore(tenantId, { enableWebSocket, pollingInterval, autoRefresh, notifyInterval })
        : null,
    [tenantId, enableWebSocket, pollingInterval, autoRefresh, notifyInterval],
  );
}
