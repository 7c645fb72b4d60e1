// @vitest-environment happy-dom
/** How often a changing list is shown. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { paced } from '../lib/pace.js';

let frames: (() => void)[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  frames = [];
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => frames.push(run));
  vi.stubGlobal('cancelAnimationFrame', (frame: number) => {
    frames[frame - 1] = () => {};
  });
});

afterEach(() => vi.useRealTimers());

const frame = () => frames.splice(0).forEach((run) => run());

test('a frame shows once whatever was asked for before it', () => {
  const work = vi.fn();
  const pace = paced(work, 'frame');
  pace.ask();
  pace.ask();
  expect(work).not.toHaveBeenCalled();
  frame();
  vi.runAllTimers();
  expect(work).toHaveBeenCalledTimes(1);
  pace.ask();
  frame();
  expect(work).toHaveBeenCalledTimes(2);
});

test('where no frames come a timer does', () => {
  const work = vi.fn();
  const pace = paced(work, 'frame');
  pace.ask();
  vi.runAllTimers();
  frame();
  expect(work).toHaveBeenCalledTimes(1);
  vi.stubGlobal('requestAnimationFrame', undefined);
  paced(work, 'frame').ask();
  vi.runAllTimers();
  expect(work).toHaveBeenCalledTimes(2);
});

test('an interval is kept without frames', () => {
  const work = vi.fn();
  const pace = paced(work, 1000);
  pace.ask();
  expect(frames).toEqual([]);
  vi.advanceTimersByTime(999);
  expect(work).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(work).toHaveBeenCalledTimes(1);
});

test('what is taken back is not done', () => {
  const work = vi.fn();
  const pace = paced(work, 'frame');
  pace.ask();
  pace.cancel();
  frame();
  vi.runAllTimers();
  expect(work).not.toHaveBeenCalled();
});
