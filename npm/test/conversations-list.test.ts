/** The list of conversations as a value: whatever is told, read and missed, it is what the server has. */
import { expect, test } from 'vitest';
import * as lists from '../lib/conversations/list.js';
import type { ConversationSummary } from '../lib/types.js';
import { Random } from './random.js';
import { summary } from './summaries.js';

const ids = ({ entries }: lists.List) => entries.map(({ id }) => id);
const page = (nextCursor: string | null, ...conversations: ConversationSummary[]) => ({
  conversations,
  nextCursor,
});

const [a1, a9, b2, c3, d4] = [
  summary('a', 1),
  summary('a', 9),
  summary('b', 2),
  summary('c', 3),
  summary('d', 4),
];

test('the newest stands first, and each once', () => {
  let list = lists.first(lists.EMPTY, page(null, c3, b2, a1), lists.EMPTY, true);
  list = lists.told(list, a9);
  expect(ids(list)).toEqual(['a', 'c', 'b']);
  expect(list.entries[0]).toBe(a9);
});

test('what is late or doubled changes nothing', () => {
  const list = lists.first(lists.EMPTY, page(null, a9, b2), lists.EMPTY, true);
  expect(lists.told(list, a1)).toBe(list);
  expect(lists.told(list, { ...a9 })).toBe(list);
  expect(lists.first(list, page(null, b2, a1), list, true)).toBe(list);
});

test('of equally new ones the last one counts, and so does another session to answer', () => {
  const answered = { ...a9, lastMessage: { ...a9.lastMessage, id: 'answer', sender: 'bot' as const } };
  const list = lists.told(lists.EMPTY, a9);
  expect(lists.told(list, answered).entries).toEqual([answered]);
  const moved = { ...a9, sessionId: 's-other' };
  expect(lists.told(list, moved).entries).toEqual([moved]);
});

test('pages are read on from where the last one ended', () => {
  let list = lists.first(lists.EMPTY, page('c1', d4, c3), lists.EMPTY, true);
  expect(list.cursor).toBe('c1');
  // Told meanwhile: it is on no further page.
  list = lists.told(list, a9);
  list = lists.further(list, 'c1', page(null, b2));
  expect([ids(list), list.cursor]).toEqual([['a', 'd', 'c', 'b'], null]);
  expect(lists.further(list, 'c1', page('c9', a1))).toBe(list);
});

test('what was read stays when the first page reaches back to it', () => {
  let list = lists.first(lists.EMPTY, page('c1', summary('x', 900), summary('y', 890)), lists.EMPTY, true);
  list = lists.further(list, 'c1', page('c2', a1));
  const again = page('c7', summary('z', 901), summary('x', 900), summary('y', 890), summary('w', 800));
  list = lists.first(lists.unheard(list), again, list, true);
  expect([ids(list), list.cursor]).toEqual([['z', 'x', 'y', 'w', 'a'], 'c2']);
});

test('what was read goes when changes behind the first page may have been missed', () => {
  let list = lists.first(lists.EMPTY, page(null, d4, c3, b2), lists.EMPTY, true);
  const asked = lists.unheard(list);
  list = lists.told(asked, summary('e', 950));
  list = lists.first(list, page('c8', summary('g', 902), summary('f', 901)), asked, true);
  expect([ids(list), list.cursor]).toEqual([['e', 'g', 'f'], 'c8']);
});

test('what the server has forgotten goes, and what was told since it was asked stays', () => {
  const asked = lists.first(lists.EMPTY, page(null, d4, c3, a1), lists.EMPTY, true);
  let list = lists.first(lists.told(asked, b2), page(null, c3), asked, true);
  expect(ids(list)).toEqual(['c', 'b']);
  list = lists.first(list, page(null), list, true);
  expect(list).toMatchObject({ entries: [], cursor: null });
});

test('behind something forgotten nothing is sure to be there', () => {
  let list = lists.first(lists.EMPTY, page('c3', d4, c3), lists.EMPTY, true);
  list = lists.further(list, 'c3', page('c1', b2, a1));
  list = lists.first(list, page('c2', d4, b2), list, true);
  expect([ids(list), list.cursor]).toEqual([['d', 'b'], 'c2']);
});

test('no further page follows one that has all there is', () => {
  let list = lists.first(lists.EMPTY, page('c3', d4, c3), lists.EMPTY, true);
  list = lists.first(lists.unheard(list), page(null, d4, c3), list, true);
  expect([ids(list), list.cursor]).toEqual([['d', 'c'], null]);
});

test('there is an end to what is kept', () => {
  const many = Array.from({ length: lists.MOST_ENTRIES }, (_, at) => summary(`n${at}`, 5000 - at));
  let list = lists.first(lists.EMPTY, page('more', ...many), lists.EMPTY, true);
  expect(list.cursor).toBe('more');
  list = lists.told(list, summary('one more', 9000));
  expect([list.entries.length, list.cursor]).toEqual([lists.MOST_ENTRIES, null]);
  expect(ids(list)).not.toContain(`n${lists.MOST_ENTRIES - 1}`);
});

const PAGE = 4;

/** A server with its list, and what is under way to a client that follows it. */
class World {
  readonly #random: Random;
  readonly #server = new Map<string, ConversationSummary>();
  #time = 0;
  list = lists.EMPTY;
  #isConnected = false;
  /** How often the connection has come up. */
  #connections = 0;
  #events: ConversationSummary[] = [];
  #answers: (() => void)[] = [];

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  step(): void {
    const chance = this.#random.next();
    if (chance < 0.45) {
      this.#say();
    } else if (chance < 0.75) {
      this.#deliver();
    } else if (chance < 0.85) {
      this.#answer();
    } else if (chance < 0.93) {
      this.#askFurther();
    } else if (chance < 0.94) {
      this.#restart();
    } else if (this.#isConnected) {
      this.#disconnect();
    } else if (this.#random.chance(0.5)) {
      this.#askFirst();
    } else {
      this.connect();
    }
  }

  connect(): void {
    this.#isConnected = true;
    this.#connections += 1;
    this.#askFirst();
  }

  /** Everything arrives that is under way. */
  settle(): void {
    if (!this.#isConnected) {
      this.connect();
    }
    while (this.#events.length > 0 || this.#answers.length > 0) {
      this.#deliver();
      this.#answer();
    }
  }

  /** Newest first. */
  truth(): ConversationSummary[] {
    const all = [...this.#server.values()];
    return all.sort((one, two) => (one.updatedAt < two.updatedAt ? 1 : -1));
  }

  #say(): void {
    this.#time += 1 + this.#random.below(20);
    const said = summary(`c${this.#random.below(24)}`, this.#time);
    this.#server.set(said.id, said);
    if (this.#isConnected) {
      this.#events.push(said);
    }
    // None is told much later than it was said.
    while (this.#events.length > 3) {
      this.#deliver();
    }
  }

  /** In any order, and some of them twice. */
  #deliver(): void {
    const at = this.#random.below(this.#events.length);
    const event = this.#events[at];
    if (event) {
      this.list = lists.told(this.list, event);
      if (this.#random.chance(0.8)) {
        this.#events.splice(at, 1);
      }
    }
  }

  #answer(): void {
    const at = this.#random.below(this.#answers.length);
    this.#answers.splice(at, 1).forEach((arrive) => arrive());
  }

  #disconnect(): void {
    this.#isConnected = false;
    this.#events = [];
    this.list = lists.unheard(this.list);
  }

  /** What it knew is gone. It takes more time than there is doubt about times. */
  #restart(): void {
    this.#disconnect();
    this.#answers = [];
    this.#server.clear();
    this.#time += 100;
  }

  #askFirst(): void {
    const connection = this.#connections;
    const wasConnected = this.#isConnected;
    const asked = this.list;
    const page = this.#page(undefined);
    this.#answers.push(() => {
      // A later connection has asked anew.
      if (connection === this.#connections) {
        const isTold = wasConnected && this.#isConnected;
        this.list = lists.first(this.list, page, asked, isTold);
      }
    });
  }

  #askFurther(): void {
    const { cursor } = this.list;
    if (typeof cursor === 'string') {
      const page = this.#page(cursor);
      this.#answers.push(() => {
        this.list = lists.further(this.list, cursor, page);
      });
    }
  }

  #page(cursor: string | undefined): lists.Page {
    const older = this.truth().filter(({ updatedAt }) => !cursor || updatedAt < cursor);
    const conversations = older.slice(0, PAGE);
    const last = conversations.at(-1)?.updatedAt ?? null;
    return { conversations, nextCursor: older.length > PAGE ? last : null };
  }
}

test.each(Array.from({ length: 200 }, (_, seed) => seed))(
  'random history %i: the list is the newest part of what the server has, or all of it',
  (seed) => {
    const world = new World(seed);
    for (let step = 0; step < 400; step++) {
      world.step();
    }
    world.settle();
    const { entries, cursor } = world.list;
    const truth = world.truth();
    expect(entries).toEqual(truth.slice(0, entries.length));
    expect(entries.length).toBeGreaterThanOrEqual(Math.min(PAGE, truth.length));
    expect(cursor === null).toBe(entries.length === truth.length);
  },
);
