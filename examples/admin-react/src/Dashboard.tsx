import { useOnlineUsers } from '@amoiq/chat-widget/react';
import { useState } from 'react';
import { UserTable } from './UserTable';

export function Dashboard({ tenantId }: { tenantId: string }) {
  const { onlineUsers, isLoading, error, refresh, isConnected } = useOnlineUsers(tenantId);
  const count = onlineUsers.length;

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
        {error && (
          <Problem message={error.message} code={error.code} stale={count > 0} retry={refresh} />
        )}
        <section className="card" aria-busy={isLoading} aria-label="Who is online">
          <p className="count" aria-live="polite">
            <strong>{isLoading ? '–' : count}</strong>{' '}
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

function Problem({
  message,
  code,
  stale,
  retry,
}: {
  message: string;
  code: string;
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
        <p className="what">{message}</p>
        <p className="detail">
          {stale && 'The list below may be out of date. '}
          <code>{code}</code>
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
