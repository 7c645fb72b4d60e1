/** What a caller gives up ends at once, and everything else ends as it would. */
import { expect, test, vi } from 'vitest';
import { abortable } from '../lib/abort.js';

test('without a signal, or with one that is never aborted, a call ends as it ends', async () => {
  const { signal } = new AbortController();
  for (const given of [undefined, signal]) {
    await expect(abortable(async () => 'done', given)).resolves.toBe('done');
    const failure = new Error('its own');
    await expect(abortable(() => Promise.reject(failure), given)).rejects.toBe(failure);
  }
});

test('a call that is given up rejects at once, and is undone once', async () => {
  const controller = new AbortController();
  const undo = vi.fn();
  const call = abortable(() => new Promise(() => {}), controller.signal, undo);
  controller.abort();
  await expect(call).rejects.toMatchObject({ name: 'ChatError', code: 'ABORTED' });
  expect(undo).toHaveBeenCalledTimes(1);
});

test('a call that is given up from the outset is not started', async () => {
  const start = vi.fn(async () => 'done');
  await expect(abortable(start, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
  expect(start).not.toHaveBeenCalled();
});

test('a signal that outlives its calls keeps nothing of them', async () => {
  const { signal } = new AbortController();
  const [added, removed] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
  const undo = vi.fn();
  await abortable(async () => 'done', signal, undo);
  await vi.waitFor(() => expect(removed).toHaveBeenCalledTimes(added.mock.calls.length));
  expect(removed.mock.calls[0]?.[1]).toBe(added.mock.calls[0]?.[1]);
  expect(undo).not.toHaveBeenCalled();
});
