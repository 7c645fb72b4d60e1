/** Where the connection stands, in words, and why it is not live. */
import type { ChatError, Connection, ConnectionState } from '../shared.js';
import { classes } from './classes.js';

/** The words for the states. */
export interface ConnectionStatusTexts extends Readonly<Record<ConnectionState, string>> {
  /** Why it is not live, by its `code`. Default: what the error says, in English. */
  readonly problem: (error: ChatError) => string;
}

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
  const text = { ...ENGLISH, ...texts };
  return (
    <p className={classes('acw-connection', className)} data-state={state} role="status">
      <span className="acw-connection-state">{text[state]}</span>
      {error && state !== 'live' && (
        <>
          {' '}
          <span className="acw-connection-why">{text.problem(error)}</span>
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
  problem: ({ message }) => message,
};
