/**
 * The measurements of views inside a page, of whichever subject it holds. Right answers are worked out before, in the plain
 * way, and every answer is held against them.
 */
import { digest, type Scene, scene } from './frames.ts';
import { answer } from './plain-view.ts';
import { TunedMap } from './tuned-map.ts';
import type { Answer, Query, ViewSubject } from './view-subject.ts';

export interface ViewMeasurements {
  /** Milliseconds by what was asked; `null` if the subject has no views. */
  views(users: number): Promise<Record<string, number> | null>;
}

const WINDOW = 50;
const CHANGES = 100;
const ALL: Query = { search: '', sort: null, group: null, offset: 0, limit: WINDOW };
const BY_NAME = { field: 'userId', descending: false } as const;
const BY_PAGE = { field: 'url', descending: true } as const;

const SORTED: Query = { ...ALL, sort: BY_NAME, search: 'green-' };

/** What is asked while rows change. */
const WATCHED = [
  { name: `${CHANGES} changes while searched and sorted`, query: SORTED },
  { name: `${CHANGES} changes while grouped by page`, query: { ...ALL, group: 'url' } },
] as const;

/** How many batches of changes each of them sees. */
const BATCHES = 10;

interface Step {
  /** What it is called in the report; nothing if it only prepares the next one. */
  readonly name?: string;
  readonly query: Query;
}

/** In this order, each as the view stands after the one before. */
function steps(users: number): Step[] {
  const search = (search: string): Query => ({ ...ALL, search });
  const windows = Array.from({ length: 20 }, (_, number) => ({
    name: 'window at another offset, sorted',
    query: { ...ALL, sort: BY_NAME, offset: Math.floor((users * ((number * 7) % 20)) / 20) + 1 },
  }));
  return [
    // Whoever keeps texts for searching, and has not made them yet, makes them now.
    { name: 'first search', query: search('brown-') },
    { name: 'search, an eighth of all matches', query: search('blue-') },
    { name: 'search, few match', query: search('shoes/red-12') },
    { name: 'search, two words', query: search('SHOP-7. boots') },
    { name: 'search, nothing matches', query: search('nobody-is-called-this') },
    { query: ALL },
    { name: 'sort by a field, first time', query: { ...ALL, sort: BY_NAME } },
    { query: { ...ALL, sort: BY_PAGE } },
    { name: 'sort by a field, again', query: { ...ALL, sort: BY_NAME } },
    ...windows,
    { name: 'search, sorted', query: SORTED },
    { name: 'group by page, first time', query: { ...ALL, group: 'url' } },
    { name: 'group by page, searched', query: { ...ALL, group: 'url', search: 'green-' } },
  ];
}

export function viewMeasurementsOf(make: () => ViewSubject | null): ViewMeasurements {
  return {
    async views(users) {
      const subject = make();
      if (!subject) return null;
      const { scene, right, changed } = prepare(users);
      const figures = new Map<string, number[]>();
      const note = (name: string, start: number): void => {
        figures.set(name, [...(figures.get(name) ?? []), performance.now() - start]);
      };
      try {
        const opening = performance.now();
        await subject.open(scene.list);
        note('list, frame to the first window', opening);
        for (const [number, { name, query }] of steps(users).entries()) {
          const expected = right[number] ?? NOTHING;
          const start = performance.now();
          const pending = subject.ask(query, expected);
          // Whoever answers at once is not made to wait for a turn.
          const found = pending instanceof Promise ? await pending : pending;
          if (name) note(name, start);
          expect(found, expected, query);
        }
        for (const [number, { events }] of scene.batches.entries()) {
          const { name, query } = watchedAt(number);
          const [before = NOTHING, expected = NOTHING] = changed[number] ?? [];
          if (number % BATCHES === 0) await subject.ask(query, before);
          const start = performance.now();
          const pending = subject.change(events, expected);
          const found = pending instanceof Promise ? await pending : pending;
          note(name, start);
          expect(found, expected, query);
        }
      } finally {
        subject.close();
      }
      return Object.fromEntries([...figures].map(([name, values]) => [name, mean(values)]));
    },
  };
}

const NOTHING: Answer = { users: [], total: 0, groups: [], groupTotal: 0 };

const watchedAt = (batch: number) => WATCHED[Math.floor(batch / BATCHES)] ?? WATCHED[0];

interface Prepared {
  readonly scene: Scene;
  /** Answers to the steps' queries, and to what is watched before and after each batch of changes. */
  readonly right: readonly Answer[];
  readonly changed: readonly (readonly [Answer, Answer])[];
}

let kept: { users: number; prepared: Prepared } | undefined;

function prepare(users: number): Prepared {
  if (kept?.users === users) return kept.prepared;
  const made = scene({ users, batches: BATCHES * WATCHED.length, changes: CHANGES }, 2);
  const rows = new TunedMap();
  rows.deliver(made.list);
  const right = steps(users).map(({ query }) => answer(rows.snapshot(), query));
  const changed = made.batches.map(({ events }, number) => {
    const { query } = watchedAt(number);
    const before = answer(rows.snapshot(), query);
    for (const event of events) rows.deliver(event);
    return [before, answer(rows.snapshot(), query)] as const;
  });
  kept = { users, prepared: { scene: made, right, changed } };
  return kept.prepared;
}

function expect(found: Answer, right: Answer, query: Query): void {
  const shown = ({ total, users, groups, groupTotal }: Answer): string =>
    `${total} in all, ${digest(users)}, ${groupTotal} groups, ${counted(groups)}`;
  if (shown(found) !== shown(right)) {
    throw new Error(`a wrong answer to ${JSON.stringify(query)}: ${shown(found)} instead of ${shown(right)}`);
  }
}

/** The counts, and whose they are: of the smallest that are shown, some that are as large may not be. */
function counted(groups: Answer['groups']): string {
  const least = groups.at(-1)?.count ?? 0;
  const name = ({ value, count }: Answer['groups'][number]): string =>
    `${count} ${count > least ? value.toLowerCase() : ''}`;
  return groups.map(name).join();
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
