/**
 * What a change costs, and a list, at several sizes. Each side has a page of its own, a process that stays warm over all
 * rounds; they take turns, and at going first.
 */
import type { EventsFigures, EventsTask } from '../pages/measure.ts';
import type { Chromium, Visitor } from './browser.ts';
import type { Options } from './options.ts';
import { profile } from './profile.ts';
import type { Report, Side, Target, Unit } from './report.ts';
import { turns } from './turns.ts';

/** Changes between two snapshots: what a busy shop brings between two frames. */
const CHANGES = 100;

interface Size {
  readonly users: number;
  /** Batches for the guide's reducer, which takes hundreds of times longer, and for the others. */
  readonly batches: { readonly guide: number; readonly others: number };
}

const SIZES: readonly Size[] = [
  { users: 1_000, batches: { guide: 30, others: 200 } },
  { users: 10_000, batches: { guide: 6, others: 150 } },
  { users: 100_000, batches: { guide: 1, others: 40 } },
];

const PAGES: Readonly<Record<Side, string>> = { ours: 'ours', guide: 'guide', tuned: 'map' };
const TASKS: Readonly<Record<Side, readonly EventsTask['as'][]>> = {
  ours: ['events', 'deltas'],
  guide: ['events', 'parsed'],
  tuned: ['events', 'deltas', 'parsed'],
};

export async function measureEvents(
  browser: Chromium,
  site: string,
  options: Options,
  report: Report,
): Promise<void> {
  await using ours = await browser.visitor();
  await using guide = await browser.visitor();
  await using tuned = await browser.visitor();
  const sides: readonly (readonly [Side, Visitor])[] = [
    ['ours', ours],
    ['guide', guide],
    ['tuned', tuned],
  ];
  for (const [side, visitor] of sides) await visitor.open(`${site}/${PAGES[side]}`);
  for (const size of options.quick ? SIZES.slice(0, 2) : SIZES) {
    // The first round only warms the pages up.
    for (let round = options.quick ? 1 : 0; round <= options.rounds; round++) {
      for (const [side, visitor] of turns(sides, round)) {
        const figures = await oneSide(side, visitor, size);
        if (round > 0) enter(report, side, size.users, figures);
      }
    }
  }
  if (options.profile) {
    const task = { users: 10_000, batches: 400, changes: CHANGES, as: 'events' } as const;
    // The scene is made before, and what is profiled runs as often as it takes to be seen.
    await ours.page.evaluate((task) => bench.events(task), task);
    const table = await profile(ours, options.profile, async () => {
      for (let times = 0; times < 5; times++) {
        await ours.page.evaluate((task) => bench.events(task), task);
      }
    });
    report.note(`our store under events, 10,000 online, by function (lines are the page's script):\n${table}`);
  }
}

type Figures = Partial<Record<EventsTask['as'], EventsFigures>> & { parsing?: number };

async function oneSide(side: Side, { page }: Visitor, { users, batches }: Size): Promise<Figures> {
  const size = {
    users,
    batches: side === 'guide' ? batches.guide : batches.others,
    changes: CHANGES,
  };
  const figures: Figures = {};
  for (const as of TASKS[side]) {
    const found = await page.evaluate((task) => bench.events(task), { ...size, as });
    if (found) figures[as] = found;
  }
  if (side === 'tuned') figures.parsing = await page.evaluate((size) => bench.parsing(size), size);
  return figures;
}

function enter(report: Report, side: Side, users: number, figures: Figures): void {
  const group = `${users.toLocaleString('en')} users online`;
  const add = (name: string, value: number, unit: Unit = 'µs', targets: readonly Target[] = []): void =>
    report.add({ group, name, unit, targets }, side, value);
  const { events, deltas, parsed, parsing } = figures;
  if (events) {
    add('event, with its share of a snapshot', events.change, 'µs', targetsAt(users));
    add('event taken in, without snapshot', events.deliver);
    add('snapshot after 100 events', events.snapshot);
    add('list, frame to first snapshot', events.ingest / 1000, 'ms');
  }
  if (deltas) add('change in a delta of 100, likewise', deltas.change, 'µs', [AS_TUNED]);
  if (parsed) add('reducer alone, of parsed events', parsed.change);
  if (parsing !== undefined) add('JSON.parse alone', parsing);
}

const AS_TUNED: Target = { against: 'tuned', ratio: 1 / 1.3 };

const targetsAt = (users: number): readonly Target[] =>
  users === 10_000 ? [{ against: 'guide', ratio: 100 }, AS_TUNED] : [AS_TUNED];
