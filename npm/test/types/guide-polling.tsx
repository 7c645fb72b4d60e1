/** As the integration guide prints it; only the import path is the package's. */
import { useEffect, useState } from 'react';
import { ChatAPI, OnlineUser } from '@amoiq/chat-widget';

function PollingOnlineUsers({ tenantId }: { tenantId: string }) {
  const [onlineUsers, setOnlineUsers] = useState<OnlineUser[]>([]);
  const [isLoading, setIsLoading] = useState(true);

  useEffect(() => {
    const api = new ChatAPI(tenantId);

    const fetchUsers = async () => {
      try {
        const users = await api.getOnlineUsers();
        setOnlineUsers(users);
      } catch (error) {
        console.error('Failed to fetch online users:', error);
      } finally {
        setIsLoading(false);
      }
    };

    // Initial fetch
    fetchUsers();

    // Poll every 5 seconds
    const interval = setInterval(fetchUsers, 5000);

    return () => clearInterval(interval);
  }, [tenantId]);

  return (
    <div>
      {isLoading ? (
        <div>Loading...</div>
      ) : (
        <div>
          <p>{onlineUsers.length} users online</p>
          <ul>
            {onlineUsers.map(user => (
              <li key={user.userId}>{user.userId}</li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

export { PollingOnlineUsers };
