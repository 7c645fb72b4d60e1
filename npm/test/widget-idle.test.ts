// @vitest-environment happy-dom
/** When the script tag's widget begins in a page that is being loaded. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { whenParsed } from '../lib/widget/idle.js';

let moments: (() => void)[];
let readyState: DocumentReadyState;
const timing = { domInteractive: 90, domContentLoadedEventStart: 0 };

beforeEach(() => {
  moments = [];
  vi.stubGlobal('requestIdleCallback', (run: () => void) => moments.push(run));
  vi.spyOn(document, 'readyState', 'get').mockImplementation(() => readyState);
  Object.defineProperty(performance, 'timing', { value: timing, configurable: true });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function parsed(): void {
  readyState = 'interactive';
  timing.domContentLoadedEventStart = 100;
  document.dispatchEvent(new Event('DOMContentLoaded'));
}

/** The page has nothing else to do. */
const rests = () => moments.splice(0).forEach((run) => run());

test.each(['loading', 'interactive'] as const)('%s: it waits for what the page defers, and then for a moment', (state) => {
  readyState = state;
  timing.domContentLoadedEventStart = 0;
  const run = vi.fn();
  whenParsed(run);
  rests();
  expect(run).not.toHaveBeenCalled();
  parsed();
  expect(run).not.toHaveBeenCalled();
  rests();
  expect(run).toHaveBeenCalledTimes(1);
});

test.each(['interactive', 'complete'] as const)('%s, and all of it has run: it waits for a moment', (state) => {
  readyState = state;
  timing.domContentLoadedEventStart = 100;
  const run = vi.fn();
  whenParsed(run);
  expect(run).not.toHaveBeenCalled();
  rests();
  expect(run).toHaveBeenCalledTimes(1);
});

test.each([
  ['has no such times', undefined],
  ['keeps them to itself', { domInteractive: 0, domContentLoadedEventStart: 0 }],
])('where the browser %s, it waits for nothing that may be over', (_, value) => {
  readyState = 'interactive';
  Object.defineProperty(performance, 'timing', { value, configurable: true });
  const run = vi.fn();
  whenParsed(run);
  rests();
  expect(run).toHaveBeenCalledTimes(1);
});
