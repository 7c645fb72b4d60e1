/**
 * When own messages are sent, as functions over values.
 *
 * What must stay true: they arrive in the order in which they were written, so there is one on its way at a time
 * and the next waits until that one is delivered or has failed for good. A message whose fate is unknown is
 * sent again only where the server may know it again.
 */
import type { ChatErrorCode } from '../errors.js';
import type { Entry, Log } from './log.js';

/** After these the same message may be accepted when it is sent again. */
export const RETRIED: ReadonlySet<ChatErrorCode> = new Set<ChatErrorCode>([
  'CONNECTION_REFUSED',
  'DISCONNECTED',
  'HTTP_ERROR',
  'INTERNAL',
  'INVALID_RESPONSE',
  'NETWORK_ERROR',
  'NOT_CONNECTED',
  'RATE_LIMITED',
  'SHUTTING_DOWN',
  'TIMEOUT',
  'TOKEN_UNAVAILABLE',
  'TOO_MANY_CONNECTIONS',
  'UNAVAILABLE',
]);

/** After these nobody knows whether the server has it. */
const UNKNOWN: ReadonlySet<ChatErrorCode> = new Set<ChatErrorCode>(['DISCONNECTED', 'TIMEOUT']);

/** How often a message is tried while the connection is up. */
export const MOST_TRIES = 6;

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/** The one to send next. */
export function next(log: Log): Entry | undefined {
  return log.entries.find(({ state }) => state === 'pending');
}

/** What to do with a message after a failure: send it again when the connection is up, or give it up. */
export function afterFailure(
  code: ChatErrorCode,
  { tries, names }: { tries: number; names: boolean | undefined },
): 'again' | 'fail' {
  const lost = code === 'DISCONNECTED' || code === 'NOT_CONNECTED';
  const twice = names === false && UNKNOWN.has(code);
  return RETRIED.has(code) && !twice && (lost || tries < MOST_TRIES) ? 'again' : 'fail';
}

/** Milliseconds before another attempt over the same connection. `random` is in [0, 1). */
export function pause(tries: number, random: number): number {
  const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.max(0, tries - 1));
  return longest * (0.5 + random / 2);
}
