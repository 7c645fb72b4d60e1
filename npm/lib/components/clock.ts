/** One clock for everything on the page that counts: it ticks once a second while somebody looks at it. */
import { useSyncExternalStore } from 'react';

const watchers = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

/** The present second, in milliseconds since the epoch; 0 on a server. Renders again when it is another one. */
export function useNow(): number {
  return useAtNow((now) => now);
}

/** What can be said of the present second. Renders again when that changes, which may be much more rarely. */
export function useAtNow<T extends string | number>(say: (now: number) => T): T {
  return useSyncExternalStore(
    everySecond,
    () => say(presentSecond()),
    () => say(0),
  );
}

function everySecond(tick: () => void): () => void {
  watchers.add(tick);
  ticking ??= setInterval(() => watchers.forEach((watcher) => watcher()), 1000);
  return () => {
    watchers.delete(tick);
    if (watchers.size === 0) {
      clearInterval(ticking);
      ticking = undefined;
    }
  };
}

function presentSecond(): number {
  return Math.floor(Date.now() / 1000) * 1000;
}
