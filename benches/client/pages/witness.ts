/**
 * What a page says of itself, written down from before its first script on: the moments and shifts that its visitor sees, the
 * tasks that are long, and each call of a timer.
 */
export interface Witness {
  firstPaint: number;
  largestPaint: number;
  /** The element of the largest paint. */
  largest: string;
  shifts: number;
  shifted: number;
  /** Begin and length of each task over 50 ms. */
  readonly long: [start: number, duration: number][];
  /** Callbacks of timeouts, intervals and frames that have run. */
  wakeups: number;
}

declare global {
  var witness: Witness;
}

/** Runs in the page, so it refers to nothing outside of itself. */
export function installWitness(): void {
  const witness: Witness = {
    ...{ firstPaint: 0, largestPaint: 0, largest: '', shifts: 0, shifted: 0, wakeups: 0 },
    long: [],
  };
  globalThis.witness = witness;
  const observe = (type: string, note: (entry: PerformanceEntry) => void): void =>
    new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
  observe('paint', ({ name, startTime }) => {
    if (name === 'first-contentful-paint') witness.firstPaint = startTime;
  });
  observe('largest-contentful-paint', (entry) => {
    witness.largestPaint = entry.startTime;
    witness.largest = (entry as PerformanceEntry & { element?: Element }).element?.id ?? '';
  });
  observe('layout-shift', (entry) => {
    witness.shifts += 1;
    witness.shifted += (entry as PerformanceEntry & { value: number }).value;
  });
  observe('longtask', ({ startTime, duration }) => witness.long.push([startTime, duration]));

  const counted =
    <A extends unknown[]>(callback: (...values: A) => void) =>
    (...values: A): void => {
      witness.wakeups += 1;
      callback(...values);
    };
  const { setTimeout, setInterval, requestAnimationFrame } = window;
  type Timer = (callback: TimerHandler, delay?: number, ...values: unknown[]) => number;
  const timer =
    (set: Timer): Timer =>
    (callback, delay, ...values) =>
      set(typeof callback === 'function' ? counted(callback as () => void) : callback, delay, ...values);
  Object.assign(window, {
    setTimeout: timer(setTimeout as Timer),
    setInterval: timer(setInterval as Timer),
    requestAnimationFrame: (callback: FrameRequestCallback) => requestAnimationFrame(counted(callback)),
  });
}
