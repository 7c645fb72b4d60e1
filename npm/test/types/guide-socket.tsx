/** As the integration guide prints it; only the import path is the package's. */
import { useEffect, useState } from 'react';
import { ChatWebSocket, OnlineUser } from '@amoiq/chat-widget';

function CustomOnlineUsers({ tenantId }: { tenantId: string }) {
  const [onlineUsers, setOnlineUsers] = useState<OnlineUser[]>([]);
  const [ws, setWs] = useState<ChatWebSocket | null>(null);

  useEffect(() => {
    const websocket = new ChatWebSocket(
      tenantId,
      {
        onConnect: () => {
          console.log('Connected as admin');
          websocket.requestOnlineUsers();
        },
        onUserOnline: (user) => {
          setOnlineUsers(prev => {
            const exists = prev.find(u => u.userId === user.userId);
            if (exists) {
              return prev.map(u => u.userId === user.userId ? user : u);
            }
            return [...prev, user];
          });
        },
        onUserOffline: (userId) => {
          setOnlineUsers(prev => prev.filter(u => u.userId !== userId));
        },
        onOnlineUsersList: (users) => {
          setOnlineUsers(users);
        },
      },
      undefined,
      true // isAdmin = true
    );

    setWs(websocket);

    return () => {
      websocket.disconnect();
    };
  }, [tenantId]);

  return (
    <div>
      <h2>Online Users ({onlineUsers.length})</h2>
      <ul>
        {onlineUsers.map(user => (
          <li key={user.userId}>{user.userId}</li>
        ))}
      </ul>
    </div>
  );
}

export { CustomOnlineUsers };
