/**
 * What a widget goes on costing a page that nobody touches: what it wakes the page for in a minute, what it holds of the memory,
 * and whom it has left listening. The three pages stand open side by side, so they share whatever else the machine does.
 */
import type { CDPSession } from 'playwright-core';
import type { Chromium, Visitor } from './browser.ts';
import type { HostSite, Shown } from './host-site.ts';
import type { Options } from './options.ts';
import type { Report, Unit } from './report.ts';
import type { ChatServer } from './server.ts';
import { compare, type Cost, open } from './widget.ts';

const MINUTE = 60_000;

interface Idle extends AsyncDisposable {
  readonly shown: Shown;
  readonly visitor: Visitor;
  readonly devtools: CDPSession;
  /** Frames of its sockets, in and out. */
  frames: number;
}

export async function measureIdle(
  browser: Chromium,
  site: HostSite,
  server: ChatServer,
  options: Options,
  report: Report,
): Promise<void> {
  const span = options.quick ? MINUTE / 6 : MINUTE;
  for (let round = 0; round < Math.min(options.rounds, 3); round++) {
    await using alone = await settle(browser, site, server, 'alone');
    await using ours = await settle(browser, site, server, 'ours');
    await using guide = await settle(browser, site, server, 'guide');
    const idles = [alone, ours, guide];
    const before = await Promise.all(idles.map(spent));
    await new Promise((resolve) => setTimeout(resolve, span));
    const after = await Promise.all(idles.map(spent));
    const costs = new Map<Shown, Cost>();
    for (const [at, idle] of idles.entries()) {
      const perMinute = (name: keyof Spent): number =>
        (((after[at]?.[name] ?? 0) - (before[at]?.[name] ?? 0)) * MINUTE) / span;
      costs.set(
        idle.shown,
        new Map<string, [number, Unit]>([
          ['timers and frames of the screen, a minute', [perMinute('wakeups'), '']],
          ['frames of sockets, a minute', [perMinute('frames'), '']],
          ['processor time, a minute', [perMinute('busy'), 'ms']],
          ...(await held(idle)),
        ]),
      );
      idle.visitor.check();
    }
    compare(report, 'a widget that is left alone', costs);
  }
}

async function settle(
  browser: Chromium,
  site: HostSite,
  server: ChatServer,
  shown: Shown,
): Promise<Idle> {
  const visitor = await browser.visitor();
  const devtools = await visitor.devtools();
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const idle: Idle = {
    ...{ shown, visitor, devtools, frames: 0 },
    [Symbol.asyncDispose]: () => visitor[Symbol.asyncDispose](),
  };
  visitor.page.on('websocket', (socket) => {
    const count = (): void => void (idle.frames += 1);
    socket.on('framereceived', count).on('framesent', count);
  });
  await open(visitor, site, server, shown);
  if (idle.frames > 0 !== (shown !== 'alone')) throw new Error(`${shown}: ${idle.frames} frames`);
  return idle;
}

interface Spent {
  readonly wakeups: number;
  readonly frames: number;
  /** Milliseconds of the main thread. */
  readonly busy: number;
}

async function spent({ visitor, devtools, frames }: Idle): Promise<Spent> {
  const { metrics } = await devtools.send('Performance.getMetrics');
  const busy = metrics.find(({ name }) => name === 'TaskDuration')?.value;
  if (busy === undefined) throw new Error('the browser does not say what its main thread does');
  const wakeups = await visitor.page.evaluate(() => globalThis.witness.wakeups);
  return { wakeups, frames, busy: busy * 1000 };
}

async function held({ devtools }: Idle): Promise<[string, [number, Unit]][]> {
  // What one collection frees may hold the last of something else.
  for (let times = 0; times < 3; times++) await devtools.send('HeapProfiler.collectGarbage');
  const heap = await devtools.send('Runtime.getHeapUsage');
  const { nodes, jsEventListeners } = await devtools.send('Memory.getDOMCounters');
  const outside = (await listenersOn(devtools, 'window')) + (await listenersOn(devtools, 'document'));
  return [
    ['JavaScript heap', [heap.usedSize / 1000, 'kB']],
    ['buffers and the memory of WebAssembly', [heap.backingStorageSize / 1000, 'kB']],
    ['listeners', [jsEventListeners, '']],
    ['of these on window and document', [outside, '']],
    ['nodes of the document', [nodes, '']],
  ];
}

async function listenersOn(devtools: CDPSession, expression: string): Promise<number> {
  const { result } = await devtools.send('Runtime.evaluate', { expression });
  if (!result.objectId) throw new Error(`there is no ${expression}`);
  const { objectId } = result;
  const { listeners } = await devtools.send('DOMDebugger.getEventListeners', { objectId });
  return listeners.length;
}
