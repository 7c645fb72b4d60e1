/** As the integration guide prints it; only the import path is the package's. */
import { useOnlineUsers } from '@amoiq/chat-widget/react';

export default function AdminPage() {
  const tenantId = 'your-tenant-id'; // Get from auth/context
  const { onlineUsers, isLoading } = useOnlineUsers(tenantId);

  // Render your admin UI with online users
  return (
    <div>
      {/* Your admin UI */}
    </div>
  );
}
