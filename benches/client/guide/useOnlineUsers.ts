/**
 * The guide's hook from what it says of it: the list is fetched when the component is mounted, a socket follows changes, and
 * while there is none the list is polled. The reducer is that of its second example.
 */
import { useCallback, useEffect, useRef, useState } from 'react';
import { ChatAPI } from './api.ts';
import { ChatWebSocket, type OnlineUser } from './ws.ts';

export interface UseOnlineUsersOptions {
  enableWebSocket?: boolean;
  pollingInterval?: number;
  autoRefresh?: boolean;
}

export function useOnlineUsers(
  tenantId: string,
  { enableWebSocket = true, pollingInterval = 5000, autoRefresh = true }: UseOnlineUsersOptions = {},
) {
  const [onlineUsers, setOnlineUsers] = useState<OnlineUser[]>([]);
  const [isLoading, setIsLoading] = useState(true);
  const [error, setError] = useState<Error | null>(null);
  const [isConnected, setIsConnected] = useState(false);
  const socket = useRef<ChatWebSocket | null>(null);

  const show = useCallback((users: OnlineUser[]) => {
    setOnlineUsers(users);
    setError(null);
    setIsLoading(false);
  }, []);

  const refresh = useCallback(async () => {
    try {
      show(await new ChatAPI(tenantId).getOnlineUsers());
    } catch (cause) {
      setError(cause instanceof Error ? cause : new Error(String(cause)));
      setIsLoading(false);
    }
  }, [tenantId, show]);

  useEffect(() => {
    if (autoRefresh) void refresh();
  }, [autoRefresh, refresh]);

  useEffect(() => {
    if (!enableWebSocket) return;
    const connection = new ChatWebSocket(
      tenantId,
      {
        onConnect: () => {
          setIsConnected(true);
          connection.requestOnlineUsers();
        },
        onDisconnect: () => setIsConnected(false),
        onError: () => setIsConnected(false),
        onUserOnline: (user) =>
          setOnlineUsers((users) => {
            const known = users.find(({ userId }) => userId === user.userId);
            return known
              ? users.map((other) => (other.userId === user.userId ? user : other))
              : [...users, user];
          }),
        onUserOffline: (userId) =>
          setOnlineUsers((users) => users.filter((user) => user.userId !== userId)),
        onOnlineUsersList: show,
      },
      true,
    );
    socket.current = connection;
    return () => {
      socket.current = null;
      connection.disconnect();
    };
  }, [tenantId, enableWebSocket, show]);

  useEffect(() => {
    if (isConnected) return;
    const interval = setInterval(() => void refresh(), pollingInterval);
    return () => clearInterval(interval);
  }, [isConnected, pollingInterval, refresh]);

  return { onlineUsers, isLoading, error, refresh, isConnected };
}
