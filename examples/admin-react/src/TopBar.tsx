/** How many are here, how that has changed in the last hour, and whether this is live. */
import type { Connection } from '@amoiq/chat-widget';
import { ConnectionStatus, OnlineHistoryChart } from '@amoiq/chat-widget/react';
import { memo } from 'react';
import type { Sound } from './attention';
import { TEXTS } from './Problem';

interface TopBarProps {
  tenantId: string;
  /** Null while it is not known. */
  count: number | null;
  connection: Connection;
  sound: Sound;
  refresh: () => Promise<void>;
}

export function TopBar({ tenantId, count, connection, sound, refresh }: TopBarProps) {
  return (
    <header className="top">
      <div className="brand">
        <strong aria-hidden="true">Desk</strong>
        <p>{tenantId}</p>
      </div>
      <p className="count" aria-live="polite">
        <strong>{count?.toLocaleString() ?? '–'}</strong>
        <span>{count === 1 ? 'visitor now' : 'visitors now'}</span>
      </p>
      <Chart tenantId={tenantId} online={count} texts={TEXTS} />
      <div className="actions">
        <ConnectionStatus connection={connection} texts={TEXTS} />
        <button type="button" className="icon" aria-pressed={sound.isOn} onClick={sound.toggle}>
          <Bell isOn={sound.isOn} />
          <span className="hidden">Sound for new messages</span>
        </button>
        <button type="button" className="acw-button" onClick={refresh}>
          Refresh
        </button>
      </div>
    </header>
  );
}

const Chart = memo(OnlineHistoryChart);

function Bell({ isOn }: { isOn: boolean }) {
  return (
    <svg viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
      <path d="M4.5 14.5h11l-1.3-2.2V8.7a4.2 4.2 0 0 0-8.4 0v3.6zM8.4 17a1.8 1.8 0 0 0 3.2 0" />
      {!isOn && <path d="M3 3l14 14" />}
    </svg>
  );
}
