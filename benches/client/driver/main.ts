/**
 * What the client costs in Chromium, beside the guide's own code and the best JavaScript we could write. All sides are
 * measured in one run, take turns, and have every answer checked: a fast wrong one fails the run.
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { Chromium } from './browser.ts';
import { buildPages, installPackage, weights } from './bundles.ts';
import { measureEvents } from './events.ts';
import { measureMemory } from './memory.ts';
import { optionsFrom, type Options, type Part } from './options.ts';
import { Report } from './report.ts';
import { serve } from './site.ts';
import { measureStartup } from './startup.ts';
import { measureViews } from './views.ts';
import { measureWidget } from './widget.ts';

const PAGES = [
  ...['ours.ts', 'guide.ts', 'map.ts'],
  ...['views-ours.ts', 'views-plain.ts', 'views-tuned.ts'],
  ...['app-ours.tsx', 'app-guide.tsx'],
];

type Measure = (
  browser: Chromium,
  site: string,
  options: Options,
  report: Report,
) => Promise<void>;

const MEASURES: Readonly<Record<Part, Measure>> = {
  bytes: async (_browser, _site, _options, report) => {
    for (const { name, side, bytes } of await weights()) {
      report.add({ group: 'bytes transferred, brotli', name, unit: 'bytes', targets: [] }, side, bytes);
    }
  },
  events: measureEvents,
  views: measureViews,
  startup: measureStartup,
  memory: measureMemory,
  widget: (browser, _site, options, report) => measureWidget(browser, options, report),
};

async function main(): Promise<void> {
  const options = optionsFrom(process.argv.slice(2));
  await installPackage(options.package);
  await using site = await serve(await buildPages(PAGES, options.profile === undefined));
  await using browser = await Chromium.launch();
  const report = new Report();
  for (const part of options.parts) {
    process.stderr.write(`measuring: ${part}\n`);
    await MEASURES[part](browser, site.url, options, report);
  }
  const machine = `Chromium ${browser.version}, Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})`;
  const reading = `${options.rounds} round(s), median (least-most); ratios above 1: ours is cheaper`;
  report.note('what else the machine does is in every figure: trust ratios, and those below 2 only if it was idle');
  process.stdout.write(`${machine}; ${reading}\n${report.table()}\n`);
  if (options.json) {
    await writeFile(options.json, report.json({ machine, rounds: options.rounds, quick: options.quick }));
    process.stderr.write(`all figures: ${options.json}\n`);
  }
}

await main();
