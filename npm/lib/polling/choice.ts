/**
 * What to connect with next, by what has worked in this page: values and functions over them.
 *
 * A WebSocket is better wherever one can be opened, and a server that is down must not get twice the requests. So
 * requests are tried only where no WebSocket has ever been opened, or several in a row could not.
 */

/** What is known. */
export interface Experience {
  /** Whether a WebSocket has ever been opened. */
  readonly hasOpened: boolean;
  /** How many in a row could not be. */
  readonly misses: number;
  /** Until when requests are the first choice. */
  readonly pollingUntil: number;
}

export const NONE: Experience = { hasOpened: false, misses: 0, pollingUntil: 0 };

/** A laptop is carried into another network now and then. */
const TRIED_AGAIN_AFTER = 5 * 60_000;
/** One that had worked may fail for many reasons; so often, its network may be another one. */
const MISSES = 3;

/** Whether to begin with requests at once. */
export function pollsFirst({ pollingUntil }: Experience, now: number): boolean {
  return now < pollingUntil && pollingUntil <= now + TRIED_AGAIN_AFTER;
}

export function socketOpened(): Experience {
  return { hasOpened: true, misses: 0, pollingUntil: 0 };
}

export function socketMissed(before: Experience): Experience {
  return { ...before, misses: before.misses + 1 };
}

/** Whether to do with requests what a WebSocket could not. */
export function pollsNow({ hasOpened, misses }: Experience): boolean {
  return !hasOpened || misses >= MISSES;
}

/** Requests have got through where no WebSocket did. */
export function polled(before: Experience, now: number): Experience {
  const isNews = before.misses > 0 && !pollsFirst(before, now);
  return isNews ? { ...before, misses: 0, pollingUntil: now + TRIED_AGAIN_AFTER } : before;
}
