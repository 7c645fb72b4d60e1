/**
 * From the navigation to a live list in the document: the same application on our package and on the guide's code, bundled
 * alike, from the same site, on the same server with visitors online. Cold is a visitor's first page, warm the same page
 * again with the browser's cache.
 */
import type { Moments } from '../pages/app.tsx';
import type { Chromium, Visitor } from './browser.ts';
import type { Options } from './options.ts';
import type { Report, Target } from './report.ts';
import { type Opened, Shop } from './shop.ts';
import { turns } from './turns.ts';

const NO_LATER: readonly Target[] = [{ against: 'guide', ratio: 1 }];
const SIDES = ['ours', 'guide'] as const;

export async function measureStartup(
  browser: Chromium,
  site: string,
  options: Options,
  report: Report,
): Promise<void> {
  const { server, shop: program } = options;
  if (!server || !program) {
    report.note('the real page was not measured: it needs --server and --shop');
    return;
  }
  for (const users of options.quick ? [1_000] : [1_000, 10_000]) {
    await using shop = await Shop.open(program, server, users);
    const group = `navigation to a list of ${users.toLocaleString('en')}`;
    // The first round only warms the server and the browser up.
    for (let round = 0; round <= options.rounds * 3; round++) {
      for (const side of turns(SIDES, round)) {
        await using visitor = await browser.visitor();
        for (const cache of ['cold', 'warm']) {
          const { begun, asked, listed, live, busy } = await timeline(visitor, side, site, shop.at);
          if (round === 0) continue;
          const add = (name: string, value: number, targets: readonly Target[] = []): void =>
            report.add({ group, name: `${cache}: ${name}`, unit: 'ms', targets }, side, value);
          add('the script begins', begun);
          add('the list is asked for over HTTP', asked);
          add('the list is in the document', listed, NO_LATER);
          add('the same, and live', live, NO_LATER);
          add('from the script on, until it is live', live - begun, NO_LATER);
          add("the main thread's processor time", busy);
        }
      }
    }
  }
}

interface Timeline extends Required<Omit<Moments, 'error'>> {
  /** The first request to the server is made. */
  readonly asked: number;
  /** Processor time of the page's main thread until it is live, which does not depend on what else the machine does. */
  readonly busy: number;
}

async function timeline(
  visitor: Visitor,
  side: string,
  site: string,
  { url, key, tenant, users }: Opened,
): Promise<Timeline> {
  const { page } = visitor;
  const query = new URLSearchParams({ server: url, key, tenant, users: `${users}` });
  const devtools = await visitor.devtools();
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  await visitor.open(`${site}/app-${side}?${query}`);
  await page.waitForFunction(() => globalThis.moments.live !== undefined).catch((cause: unknown) => {
    throw new Error(`the list never came to the page of ${side}`, { cause });
  });
  visitor.check();
  const { metrics } = await devtools.send('Performance.getMetrics');
  const seconds = metrics.find(({ name }) => name === 'TaskDuration')?.value;
  const { moments, asked, shown } = await page.evaluate((url) => {
    const requests = performance.getEntriesByType('resource');
    return {
      moments: globalThis.moments,
      asked: requests.find(({ name }) => name.startsWith(url))?.startTime,
      shown: document.querySelectorAll('li').length,
    };
  }, url);
  const { begun, listed, live, error } = moments;
  if (!asked || !listed || !live || !seconds || error !== undefined || shown !== 50) {
    throw new Error(`a wrong page of ${side}: ${JSON.stringify({ moments, asked, shown })}`);
  }
  // Its socket is gone before another page is measured.
  await page.goto('about:blank');
  return { begun, asked, listed, live, busy: seconds * 1000 };
}
