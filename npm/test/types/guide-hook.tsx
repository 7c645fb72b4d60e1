/** As the integration guide prints it; only the import path is the package's. */
import { useOnlineUsers } from '@amoiq/chat-widget/react';

function AdminDashboard({ tenantId }: { tenantId: string }) {
  const { onlineUsers, isLoading, error, refresh, isConnected } = useOnlineUsers(tenantId);

  return (
    <div>
      <h2>Online Users</h2>
      <div>
        Status: {isConnected ? 'Real-time' : 'Polling'}
        <button onClick={refresh}>Refresh</button>
      </div>
      
      {error && <div>Error: {error.message}</div>}
      
      {isLoading ? (
        <div>Loading...</div>
      ) : (
        <div>
          <p>{onlineUsers.length} users online</p>
          <ul>
            {onlineUsers.map(user => (
              <li key={user.userId}>
                {user.userId} - {user.domain}
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

export { AdminDashboard };
