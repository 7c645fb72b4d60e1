/** Where a connection stands and why, in the words that applications read. */
import type { ChatError } from './errors.js';

/**
 * - `idle`: nothing is under way: not started, or on a server;
 * - `connecting`: an attempt is under way;
 * - `live`: changes are followed as they happen;
 * - `polling`: lists come over HTTP, because there is no socket or it is down;
 * - `backoff`: the last attempt failed, the next one has its time;
 * - `closed`: over: refused for good, or ended by the application.
 */
export type ConnectionState = 'idle' | 'connecting' | 'live' | 'polling' | 'backoff' | 'closed';

/** Where a connection stands. */
export interface Connection {
  /** What is the case now. */
  readonly state: ConnectionState;
  /** Why it is not live; null while nothing has failed since it last was. */
  readonly error: ChatError | null;
}

/** Some of the numbers that the core says. */
export const enum Status {
  Connecting = 1,
  Live = 2,
  Closed = 5,
}

/** In the order of those numbers. */
const STATES: readonly ConnectionState[] = [
  'idle',
  'connecting',
  'live',
  'polling',
  'backoff',
  'closed',
];

export const IDLE: Connection = { state: 'idle', error: null };
export const CLOSED: Connection = { state: 'closed', error: null };
export const CONNECTING: Connection = { state: 'connecting', error: null };

/** What the core says, as the same object while it is the same. */
export function connectionOf(
  before: Connection,
  status: number,
  error: ChatError | null = null,
): Connection {
  const state = STATES[status] ?? 'idle';
  return state === before.state && error === before.error ? before : { state, error };
}
