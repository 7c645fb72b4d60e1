import type { ChatError, ChatErrorCode } from '@amoiq/chat-widget';
import { useOnlineUsers } from '@amoiq/chat-widget/react';
import { useState } from 'react';
import { UserTable } from './UserTable';

export function Dashboard({ tenantId }: { tenantId: string }) {
  const { onlineUsers, isLoading, error, refresh, isConnected } = useOnlineUsers(tenantId);
  const count = onlineUsers.length;
  const unknown = isLoading || (error !== null && count === 0);

  return (
    <div className="page">
      <header className="bar">
        <div>
          <h1>Online users</h1>
          <p className="tenant">{tenantId}</p>
        </div>
        <div className="actions">
          <p className={isConnected ? 'state live' : 'state'} role="status">
            {isConnected ? 'Real-time' : 'Polling'}
          </p>
          <button type="button" className="button" onClick={refresh}>
            Refresh
          </button>
        </div>
      </header>

      <main>
        {error && <Problem error={error} stale={count > 0} retry={refresh} />}
        <section className="card" aria-busy={isLoading} aria-label="Who is online">
          <p className="count" aria-live="polite">
            <strong>{unknown ? '–' : count}</strong>{' '}
            {count === 1 ? 'visitor on your site now' : 'visitors on your site now'}
          </p>
          {isLoading ? (
            <Loading />
          ) : count > 0 ? (
            <UserTable users={onlineUsers} />
          ) : (
            !error && <Empty />
          )}
        </section>
      </main>
    </div>
  );
}

/** What the code means to the one who looks at this page. Other codes speak for themselves. */
const SENTENCES: Partial<Record<ChatErrorCode, string>> = {
  NETWORK_ERROR: 'The chat server cannot be reached.',
  TIMEOUT: 'The chat server does not answer.',
  UNAVAILABLE: 'The chat server is starting or under repair.',
  SHUTTING_DOWN: 'The chat server is restarting.',
  INVALID_API_KEY: 'This dashboard is not allowed to see the list. Sign in again.',
  TOKEN_EXPIRED: 'Your session has ended. Sign in again.',
  UNKNOWN_TENANT: 'There is no such shop on this chat server.',
};

function Problem({
  error,
  stale,
  retry,
}: {
  error: ChatError;
  stale: boolean;
  retry: () => Promise<void>;
}) {
  const [asking, setAsking] = useState(false);
  const again = async () => {
    setAsking(true);
    await retry();
    setAsking(false);
  };
  return (
    <div className="problem" role="alert">
      <div>
        <p className="what">{SENTENCES[error.code] ?? error.message}</p>
        <p className="detail">
          {stale && 'The list below may be out of date. '}
          <code>{error.code}</code>
        </p>
      </div>
      <button type="button" className="button" onClick={again} disabled={asking}>
        Try again
      </button>
    </div>
  );
}

function Loading() {
  return (
    <div className="loading" role="status">
      <span className="hidden">Loading…</span>
      {[72, 58, 64].map((width) => (
        <span key={width} className="bone" style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

function Empty() {
  return (
    <div className="empty">
      <svg viewBox="0 0 48 48" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="2">
        <circle cx="24" cy="18" r="7" />
        <path d="M10 40c1.5-8 7-12 14-12s12.5 4 14 12" strokeLinecap="round" />
      </svg>
      <p>Nobody is here right now</p>
      <p className="hint">Visitors appear the moment they open a page with the widget.</p>
    </div>
  );
}
