/** Search, sort and windows over many rows. */
import type { ViewMeasurements } from '../pages/measure-views.ts';
import type { Chromium, Visitor } from './browser.ts';
import type { Options } from './options.ts';
import type { Report, Side, Target } from './report.ts';
import { turns } from './turns.ts';

const FASTER: readonly Target[] = [{ against: 'tuned', ratio: 1.5 }];

export async function measureViews(
  browser: Chromium,
  site: string,
  options: Options,
  report: Report,
): Promise<void> {
  await using ours = await browser.visitor();
  await using plain = await browser.visitor();
  await using tuned = await browser.visitor();
  await ours.open(`${site}/views-ours`);
  await plain.open(`${site}/views-plain`);
  await tuned.open(`${site}/views-tuned`);
  const sides: readonly (readonly [Side, Visitor])[] = [
    ['ours', ours],
    ['guide', plain],
    ['tuned', tuned],
  ];
  const users = options.quick ? 10_000 : 100_000;
  const group = `views of ${users.toLocaleString('en')} users`;
  report.note(
    'views: the guide has none, and its column is a component that filters, sorts and cuts an array at each render',
  );
  // The first round only warms the pages up.
  for (let round = options.quick ? 1 : 0; round <= options.rounds; round++) {
    for (const [side, { page }] of turns(sides, round)) {
      const figures = await page.evaluate((users) => {
        const { views } = globalThis.bench as unknown as ViewMeasurements;
        return views(users);
      }, users);
      if (!figures) {
        report.note('views: the package that was measured has none');
        continue;
      }
      if (round === 0) continue;
      for (const [name, value] of Object.entries(figures)) {
        const targets = name.startsWith('search,') ? FASTER : [];
        report.add({ group, name, unit: 'ms', targets }, side, value);
      }
    }
  }
}
