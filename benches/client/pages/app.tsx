/**
 * The application that both stacks are put into: how many are online, and the first of them, as the guide's example shows
 * them. It takes note of when the list stood in the document, and of when it was live.
 */
import { StrictMode, useLayoutEffect } from 'react';
import { createRoot } from 'react-dom/client';

/** What both hooks return, as far as it is used. */
interface Online {
  readonly onlineUsers: readonly { readonly userId: string; readonly domain?: string | undefined }[];
  readonly isLoading: boolean;
  readonly error: Error | null;
  readonly isConnected: boolean;
}

/** Milliseconds since the navigation began. */
export interface Moments {
  /** The application's script begins. */
  begun: number;
  /** The whole list has come, and what is shown of it is in the document. */
  listed?: number;
  /** That, and changes are followed as they happen. */
  live?: number;
  error?: string;
}

declare global {
  var moments: Moments;
}

/** Rows that are shown. To put ten thousand into a document takes longer than all that is to be measured. */
const SHOWN = 50;

/** Where the server is, how to prove who we are, and how many are online. */
export const settings = (() => {
  const query = new URLSearchParams(location.search);
  const read = (name: string): string => query.get(name) ?? '';
  return { server: read('server'), key: read('key'), tenant: read('tenant'), users: Number(read('users')) };
})();

export function start(useOnlineUsers: (tenantId: string) => Online): void {
  globalThis.moments = { begun: performance.now() };

  function Dashboard() {
    const { onlineUsers, isLoading, error, isConnected } = useOnlineUsers(settings.tenant);
    useLayoutEffect(() => {
      const { moments } = globalThis;
      const complete = onlineUsers.length === settings.users;
      if (complete) moments.listed ??= performance.now();
      if (complete && isConnected) moments.live ??= performance.now();
      if (error) moments.error ??= error.message;
    });
    if (isLoading) return <div>Loading…</div>;
    return (
      <div>
        <p>
          {onlineUsers.length} users online, {isConnected ? 'live' : 'polling'}
        </p>
        <ul>
          {onlineUsers.slice(0, SHOWN).map(({ userId, domain }) => (
            <li key={userId}>
              {userId} – {domain}
            </li>
          ))}
        </ul>
      </div>
    );
  }

  const root = document.getElementById('root');
  if (!root) throw new Error('the page has no root');
  createRoot(root).render(
    <StrictMode>
      <Dashboard />
    </StrictMode>,
  );
}
