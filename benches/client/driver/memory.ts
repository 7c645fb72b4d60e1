/** What a hundred thousand users hold of a page's memory: what its heap has more than before, after everything was collected. */
import type { Chromium } from './browser.ts';
import type { Options } from './options.ts';
import type { Report, Side } from './report.ts';
import { turns } from './turns.ts';

const MEGABYTE = 1e6;

export async function measureMemory(
  browser: Chromium,
  site: string,
  options: Options,
  report: Report,
): Promise<void> {
  const users = options.quick ? 10_000 : 100_000;
  const group = `${users.toLocaleString('en')} users, memory`;
  const pages: readonly (readonly [Side, string])[] = [
    ['ours', 'ours'],
    ['guide', 'guide'],
    ['tuned', 'map'],
  ];
  for (let round = 0; round < Math.min(options.rounds, 3); round++) {
    for (const [side, page] of turns(pages, round)) {
      const { heap, wasm } = await held(browser, `${site}/${page}`, users);
      const add = (name: string, bytes: number): void =>
        report.add({ group, name, unit: 'MB', targets: [] }, side, bytes / MEGABYTE);
      add('JavaScript heap', heap);
      if (side === 'ours') add('WebAssembly memory', wasm);
      add('both', heap + wasm);
    }
  }
}

async function held(
  browser: Chromium,
  url: string,
  users: number,
): Promise<{ heap: number; wasm: number }> {
  await using visitor = await browser.visitor();
  await visitor.open(url);
  const devtools = await visitor.devtools();
  const used = async (): Promise<number> => {
    // What one collection frees may hold the last of something else.
    for (let times = 0; times < 3; times++) await devtools.send('HeapProfiler.collectGarbage');
    return (await devtools.send('Runtime.getHeapUsage')).usedSize;
  };
  const before = await used();
  await visitor.page.evaluate((users) => bench.hold(users), users);
  const heap = (await used()) - before;
  return { heap, wasm: await visitor.page.evaluate(() => bench.wasmBytes()) };
}
