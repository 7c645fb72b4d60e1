/** Where the connection stands, in words, and why it is not live. */
import type { Connection, ConnectionState } from '../shared.js';
import { classes } from './classes.js';

/** The words for the states. */
export type ConnectionStatusTexts = Readonly<Record<ConnectionState, string>>;

/** What to say, and how. */
export interface ConnectionStatusProps {
  /** `connection` of a store's snapshot or of a hook's result. */
  connection: Connection;
  /** Other words than the English ones. */
  texts?: Partial<ConnectionStatusTexts> | undefined;
  /** A further class. */
  className?: string | undefined;
}

/** A connection's state in words and, where there is one, the reason why it is not live. */
export function ConnectionStatus({ connection, texts, className }: ConnectionStatusProps) {
  const { state, error } = connection;
  return (
    <p className={classes('acw-connection', className)} data-state={state} role="status">
      <span className="acw-connection-state">{texts?.[state] ?? ENGLISH[state]}</span>
      {error && state !== 'live' && (
        <>
          {' '}
          <span className="acw-connection-why">{error.message}</span>
        </>
      )}
    </p>
  );
}

const ENGLISH: ConnectionStatusTexts = {
  idle: 'Not connected',
  connecting: 'Connecting…',
  live: 'Real-time',
  polling: 'Polling',
  backoff: 'Trying again soon',
  closed: 'Disconnected',
};
