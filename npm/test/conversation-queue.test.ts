/** When own messages are sent again. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { EMPTY, failed, written } from '../lib/conversation/log.js';
import { afterFailure, MOST_TRIES, next, pause, RETRIED } from '../lib/conversation/queue.js';
import { ChatError } from '../lib/errors.js';

test('what is retried is what the protocol says may be accepted later', () => {
  const path = fileURLToPath(new URL('../../protocol/src/code.rs', import.meta.url));
  const later = [...readFileSync(path, 'utf8').matchAll(/= "([A-Z_]+)", \d+, Later;/g)];
  expect([...RETRIED].sort()).toEqual(later.map(([, code]) => code).sort());
});

test('the oldest pending message is next; a failed one holds nobody up', () => {
  const log = written(written(EMPTY, 'n1', 'one', 'user'), 'n2', 'two', 'user');
  expect(next(log)?.clientId).toBe('n1');
  expect(next(failed(log, 'n1', new ChatError('TEXT_TOO_LONG', '')))?.clientId).toBe('n2');
  expect(next(EMPTY)).toBeUndefined();
});

test('a failure that may pass is tried again, but not for ever while the connection is up', () => {
  const names = true;
  for (const code of ['RATE_LIMITED', 'UNAVAILABLE', 'TIMEOUT', 'INTERNAL']) {
    expect(afterFailure(code, { tries: 1, names }), code).toBe('again');
    expect(afterFailure(code, { tries: MOST_TRIES, names }), code).toBe('fail');
  }
  for (const code of ['DISCONNECTED', 'NOT_CONNECTED']) {
    expect(afterFailure(code, { tries: 100, names }), code).toBe('again');
  }
  for (const code of ['TEXT_TOO_LONG', 'UNKNOWN_SESSION', 'ABORTED', 'NEWER_THAN_THIS']) {
    expect(afterFailure(code, { tries: 1, names }), code).toBe('fail');
  }
});

test('where the server would take it twice, a message of unknown fate is left to the user', () => {
  for (const code of ['DISCONNECTED', 'TIMEOUT']) {
    expect(afterFailure(code, { tries: 1, names: false })).toBe('fail');
    expect(afterFailure(code, { tries: 1, names: undefined })).toBe('again');
  }
  // These it has surely not taken.
  expect(afterFailure('RATE_LIMITED', { tries: 1, names: false })).toBe('again');
  expect(afterFailure('NOT_CONNECTED', { tries: 1, names: false })).toBe('again');
});

test('pauses grow, up to a bound, and are not in step', () => {
  const longest = [1, 2, 3, 4, 5, 6, 50].map((tries) => pause(tries, 0.999_999));
  expect(longest.map(Math.round)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  expect(pause(3, 0)).toBe(2000);
});
