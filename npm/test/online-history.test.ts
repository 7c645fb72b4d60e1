// @vitest-environment happy-dom
/** How many were online: when it is asked for, and what becomes of failures. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { configure } from '../lib/config.js';
import { ChatError } from '../lib/errors.js';
import { createOnlineHistory } from '../lib/online-history.js';
import type { OnlineSample } from '../lib/types.js';
import { core, fresh, settled } from './support.js';

const stops: (() => void)[] = [];

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example', apiKey: 'key' });
  vi.useFakeTimers();
});

afterEach(async () => {
  vi.useRealTimers();
  stops.splice(0).forEach((stop) => stop());
  await settled();
});

const sample = (minute: number, online: number | null): OnlineSample => ({
  at: `2024-01-15T10:0${minute}:00.000Z`,
  online,
  peak: online,
});
const [one, two] = [sample(1, null), sample(2, 7)];

const asked = () => core.calls.filter(([name]) => name === 'get').length;
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

function serve(...samples: OnlineSample[]): void {
  core.get = () => ({ interval: 60_000, samples: [...samples] });
}

function follow(store = createOnlineHistory('42')) {
  const listener = vi.fn();
  const stop = store.subscribe(listener);
  stops.push(stop);
  return { store, listener, stop };
}

test('it is asked for at first and once a minute, until nobody follows it', async () => {
  serve(one);
  const store = createOnlineHistory('42');
  await pass(120_000);
  expect(asked()).toBe(0);
  expect(store.getSnapshot()).toEqual({ samples: [], isLoading: true, error: null });
  const { stop } = follow(store);
  await pass(0);
  expect(core.calls).toEqual([['get', { path: '/api/chat/online-users/history' }]]);
  expect(core.configs[0]?.admin).toBe(true);
  expect(store.getSnapshot()).toEqual({ samples: [one], isLoading: false, error: null });
  serve(one, two);
  await pass(59_999);
  expect(asked()).toBe(1);
  await pass(1);
  expect(store.getSnapshot().samples).toEqual([one, two]);
  stop();
  await pass(600_000);
  expect(asked()).toBe(2);
  expect(store.getSnapshot().samples).toEqual([one, two]);
});

test('nothing is asked while nobody can see the page', async () => {
  serve(one);
  const visible = vi.spyOn(document, 'visibilityState', 'get');
  visible.mockReturnValue('hidden');
  follow();
  await pass(0);
  expect(asked()).toBe(0);
  const look = (state: DocumentVisibilityState) => {
    visible.mockReturnValue(state);
    document.dispatchEvent(new Event('visibilitychange'));
    return pass(0);
  };
  await look('visible');
  expect(asked()).toBe(1);
  await pass(30_000);
  await look('hidden');
  await look('visible');
  expect(asked()).toBe(1);
  await look('hidden');
  await pass(300_000);
  expect(asked()).toBe(1);
  await look('visible');
  expect(asked()).toBe(2);
});

test('a failure keeps the last samples and is tried again', async () => {
  serve(one);
  const { store } = follow();
  await pass(0);
  const { samples } = store.getSnapshot();
  core.refusal = new ChatError('UNAVAILABLE', 'later');
  await pass(60_000);
  expect(store.getSnapshot()).toEqual({ samples, isLoading: false, error: core.refusal });
  core.refusal = undefined;
  await pass(60_000);
  expect(store.getSnapshot().error).toBe(null);
});

test('a server that does not count is a failure, and so is an answer without samples', async () => {
  core.refusal = new ChatError('NOT_FOUND', 'no such route', 404);
  const { store } = follow();
  await pass(0);
  expect(store.getSnapshot()).toEqual({ samples: [], isLoading: false, error: core.refusal });
  core.refusal = undefined;
  core.get = () => null;
  await pass(60_000);
  expect(store.getSnapshot()).toMatchObject({ samples: [], error: { code: 'INVALID_RESPONSE' } });
});

test('stores of a tenant share what is asked', async () => {
  serve(one);
  const first = follow();
  const second = follow();
  await pass(0);
  expect(asked()).toBe(1);
  expect(second.store.getSnapshot()).toBe(first.store.getSnapshot());
  first.stop();
  await pass(60_000);
  expect(asked()).toBe(2);
  expect(second.listener).toHaveBeenCalledTimes(2);
});
