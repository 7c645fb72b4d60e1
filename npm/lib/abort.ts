/** What a caller may give up. */
import { fail } from './errors.js';

/** A call that may be given up. */
export interface Abortable {
  /** Gives the call up: it rejects with the code `ABORTED` at once. */
  signal?: AbortSignal | undefined;
}

/**
 * What `start` comes to, unless the caller gives it up; then `undo` is called. What is given up from
 * the outset is not started.
 */
export function abortable<T>(
  start: () => Promise<T>,
  signal: AbortSignal | undefined,
  undo?: () => void,
): Promise<T> {
  if (!signal) {
    return start();
  }
  return new Promise((resolve, reject) => {
    const abort = () => {
      undo?.();
      reject(fail('ABORTED', 'given up by the caller'));
    };
    if (signal.aborted) {
      return abort();
    }
    signal.addEventListener('abort', abort);
    start()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}
