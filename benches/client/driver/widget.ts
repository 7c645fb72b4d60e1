/**
 * What a widget costs the page that it is put into, as a page's owner would look it up: in Chromium, with the processor as it is
 * and slowed down to a quarter, as Lighthouse does for phones. The same page without a widget, with ours and with the plain one
 * take turns in each round; a widget's figure is what its page has more than the page alone had in that round.
 *
 * Each visit is checked: the server lists this one visitor and no other, the bubble is there once, every request is known and
 * was counted on both ends, and nothing has moved in the page with ours.
 */
import type { Page } from 'playwright-core';
import { HERO, SHOP_SCRIPT } from '../pages/host.ts';
import { installWitness } from '../pages/witness.ts';
import type { Chromium, Visitor } from './browser.ts';
import { widgetScripts } from './bundles.ts';
import { type HostSite, serveHost, type Shown } from './host-site.ts';
import { measureIdle } from './idle.ts';
import type { Options } from './options.ts';
import type { Report, Unit } from './report.ts';
import { ChatServer } from './server.ts';
import { turns } from './turns.ts';

const SHOWN: readonly Shown[] = ['alone', 'ours', 'guide'];

/** What Lighthouse's audits take for a long task's harmless part. */
const HARMLESS_MS = 50;

export async function measureWidget(
  browser: Chromium,
  options: Options,
  report: Report,
): Promise<void> {
  if (!options.server) {
    report.note('the widget was not measured: it needs --server');
    return;
  }
  await using server = await ChatServer.start(options.server);
  const config = { tenantId: server.tenant, baseUrl: server.url };
  await using site = await serveHost(config, await widgetScripts());
  for (const slowed of [4, 1]) {
    const group = slowed === 1 ? 'a widget in a page' : `the same, ${slowed}x slower`;
    // The first round only warms the server and the browser up.
    for (let round = 0; round <= options.rounds; round++) {
      const costs = new Map<Shown, Cost>();
      for (const shown of turns(SHOWN, round)) {
        costs.set(shown, await visit(browser, site, server, shown, slowed));
      }
      if (round > 0) compare(report, group, costs);
    }
  }
  await measureIdle(browser, site, server, options, report);
  report.note("a widget's figures are what its page has more than the page alone in the same round; bytes are brotli's");
}

/** Figures of one visit, by name. */
export type Cost = ReadonlyMap<string, readonly [value: number, unit: Unit]>;

/** Adds what the widgets' pages have more than the page alone. */
export function compare(report: Report, group: string, costs: ReadonlyMap<Shown, Cost>): void {
  const alone = costs.get('alone') ?? new Map<string, [number, Unit]>();
  for (const [shown, cost] of costs) {
    for (const [name, [value, unit]] of cost) {
      const [base] = alone.get(name) ?? [0];
      const more = shown === 'alone' ? value : value - base;
      report.add({ group, name, unit, targets: [] }, shown, more);
    }
  }
}

async function visit(
  browser: Chromium,
  site: HostSite,
  server: ChatServer,
  shown: Shown,
  slowed: number,
): Promise<Cost> {
  await using visitor = await browser.visitor();
  const { page } = visitor;
  const devtools = await visitor.devtools();
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: slowed });
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const requests = requestsOf(page);
  site.takeAsked();
  await open(visitor, site, server, shown);
  const { metrics } = await devtools.send('Performance.getMetrics');
  const seconds = (name: string): number => metrics.find((one) => one.name === name)?.value ?? 0;
  const witness = await page.evaluate(() => globalThis.witness);
  const { firstPaint, largestPaint, largest, shifts, shifted, long } = witness;
  if (!firstPaint || largest !== 'hero' || !seconds('ScriptDuration')) {
    throw new Error(`a wrong page ${shown}: ${JSON.stringify({ witness, metrics })}`);
  }
  if (shown === 'ours' && shifts > 0) throw new Error(`our widget moved the page by ${shifted}`);
  const blocked = long
    .filter(([start]) => start >= firstPaint)
    .reduce((sum, [, duration]) => sum + Math.max(0, duration - HARMLESS_MS), 0);
  const paths = requests.map((url) => new URL(url)).filter(({ origin }) => origin === site.url);
  const bytes = countedBytes(site, shown, paths.map(({ pathname }) => pathname));
  const script = seconds('ScriptDuration') + seconds('V8CompileDuration');
  return new Map<string, [number, Unit]>([
    ['scripts: compile and run', [script * 1000, 'ms']],
    ["the main thread's processor time", [seconds('TaskDuration') * 1000, 'ms']],
    ['layout and styles', [(seconds('LayoutDuration') + seconds('RecalcStyleDuration')) * 1000, 'ms']],
    ['total blocking time', [blocked, 'ms']],
    ['long tasks', [long.length, '']],
    ['first contentful paint', [firstPaint, 'ms']],
    ['largest contentful paint', [largestPaint, 'ms']],
    ['cumulative layout shift', [shifted, '']],
    ['requests to the shop', [paths.length, '']],
    ['requests to the chat server, sockets too', [requests.length - paths.length, '']],
    ['files, compressed', [bytes / 1000, 'kB']],
  ]);
}

/** Every address that the page asks for, that of its sockets as well. */
export function requestsOf(page: Page): string[] {
  const requests: string[] = [];
  page.on('request', (request) => {
    if (!request.url().endsWith('/favicon.ico')) requests.push(request.url());
  });
  page.on('websocket', (socket) => requests.push(socket.url()));
  return requests;
}

/** Opens the page and resolves when it has nothing to do any more: its widget is there, and its visitor is listed. */
export async function open(
  visitor: Visitor,
  site: HostSite,
  server: ChatServer,
  shown: Shown,
): Promise<void> {
  const { page } = visitor;
  await page.addInitScript(installWitness);
  const url = site.page(shown);
  await page.goto(url, { waitUntil: 'load' });
  const bubbles = page.getByRole('button', { name: 'Open chat' });
  if (shown === 'alone') {
    if ((await bubbles.count()) > 0) throw new Error('there is a widget in the page alone');
  } else {
    await bubbles.waitFor();
    if ((await bubbles.count()) !== 1) throw new Error(`there is more than one bubble of ${shown}`);
    await listed(server, url);
  }
  // The observers are told after the frame was shown.
  await page.waitForFunction(() => witness.firstPaint > 0 && witness.largest === 'hero');
  await page.evaluate(async () => {
    const idle = () => new Promise((resolve) => requestIdleCallback(resolve));
    // What is due at once is done before the second time that there is nothing to do.
    for (let times = 0; times < 2; times++) await idle();
  });
  visitor.check();
}

/** Resolves when the server lists the visitor of this page, once. */
async function listed(server: ChatServer, url: string): Promise<void> {
  const lost = performance.now() + 20_000;
  for (;;) {
    const here = await server.visitorsOn(url);
    if (here === 1) return;
    if (here > 1) throw new Error(`the visitor of ${url} is listed ${here} times`);
    if (performance.now() > lost) throw new Error(`the visitor of ${url} never came online`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The files' weight, after both ends were found to have counted the same requests. */
function countedBytes(site: HostSite, shown: Shown, paths: readonly string[]): number {
  const asked = [...site.takeAsked()];
  const expected = [HERO, SHOP_SCRIPT, ...(shown === 'alone' ? [] : [`/widget-${shown}.js`])];
  const isFile = (path: string) => path !== '/favicon.ico' && !path.startsWith(`/${shown}/`);
  const files = paths.filter(isFile);
  const served = asked.flatMap(([path, times]) => Array<string>(times).fill(path)).filter(isFile);
  for (const counted of [files, served]) {
    if (counted.toSorted().join() !== expected.toSorted().join()) {
      throw new Error(`the page ${shown} asked for ${counted.join(', ')}`);
    }
  }
  if (paths.length !== expected.length + 1) throw new Error(`${shown}: ${paths.join(', ')}`);
  return expected.reduce((sum, path) => sum + site.weight(path), 0);
}
