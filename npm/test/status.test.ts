/** The core's numbers in the words of applications. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { connectionOf, IDLE } from '../lib/connection.js';
import { ChatError } from '../lib/errors.js';

test('the words are those of the core, in its order', () => {
  const source = readFileSync(new URL('../../client-wasm/src/status.rs', import.meta.url), 'utf8');
  const variants = [...source.matchAll(/^ {4}(\w+),$/gm)].map(([, name]) => name?.toLowerCase());
  expect(variants.map((_, status) => connectionOf(IDLE, status).state)).toEqual(variants);
});

test('it is the same object until it says something else', () => {
  const error = new ChatError('TIMEOUT', 'silent');
  const backoff = connectionOf(IDLE, 4, error);
  expect(backoff).toEqual({ state: 'backoff', error });
  expect(connectionOf(backoff, 4, error)).toBe(backoff);
  expect(connectionOf(backoff, 1, error)).toEqual({ state: 'connecting', error });
  expect(connectionOf(backoff, 2)).toEqual({ state: 'live', error: null });
});
