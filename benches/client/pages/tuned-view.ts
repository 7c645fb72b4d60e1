/**
 * The best JavaScript we could write for it: lower-cased texts kept for each row, a mark for each row that matches, an order
 * of all rows for each sort in use, changed by binary search, a count for each page. A change looks at the changed row alone.
 */
import { type OnlineUser, parse } from './subject.ts';
import { type Answer, largest, type Query, type ViewSubject, words } from './view-subject.ts';

type Sort = NonNullable<Query['sort']>;

const NOTHING_ASKED: Query = { search: '', sort: null, group: null, offset: 0, limit: 0 };

export class TunedView implements ViewSubject {
  #slots = new Map<string, number>();
  /** By slot, which are given in order of arrival and not again. */
  #rows: (OnlineUser | undefined)[] = [];
  #texts: string[] = [];
  #arrival: number[] = [];
  #orders = new Map<string, Order>();
  #query: Query = NOTHING_ASKED;
  #words: readonly string[] = [];
  #marks = new Uint8Array(0);
  #total = 0;
  /** How many of the rows that match are on each page, if that is asked for. */
  readonly #counts = new Map<string, number>();

  async open(list: string): Promise<void> {
    const [, payload] = parse(list);
    for (const user of (payload as { users: OnlineUser[] }).users) this.#append(user);
    this.#search('');
  }

  ask(query: Query): Answer {
    const before = this.#query;
    this.#query = query;
    if (query.search !== before.search) this.#search(query.search);
    if (query.search !== before.search || query.group !== before.group) this.#recount();
    const { sort, offset, limit } = query;
    const grouped = largest(this.#counts);
    const order = sort ? this.#order(sort).slots : this.#arrival;
    const users: OnlineUser[] = [];
    const take = (slot: number | undefined): void => {
      const row = slot === undefined ? undefined : this.#rows[slot];
      if (row) users.push(row);
    };
    if (this.#words.length === 0) {
      for (let at = offset; at < offset + limit; at++) take(order[at]);
      return { users, total: order.length, ...grouped };
    }
    let passed = 0;
    for (let at = 0; at < order.length && users.length < limit; at++) {
      const slot = order[at] ?? 0;
      if (this.#marks[slot] && passed++ >= offset) take(slot);
    }
    return { users, total: this.#total, ...grouped };
  }

  change(events: readonly string[]): Answer {
    for (const event of events) {
      const [name, payload] = parse(event);
      const { userId } = payload as OnlineUser;
      const slot = this.#slots.get(userId);
      if (name === 'user_offline') {
        if (slot !== undefined) this.#remove(userId, slot);
      } else if (slot === undefined) {
        this.#append(payload as OnlineUser);
      } else {
        this.#leave(slot);
        this.#enter(slot, payload as OnlineUser);
      }
    }
    return this.ask(this.#query);
  }

  close(): void {
    this.#slots.clear();
    this.#rows = [];
    this.#texts = [];
    this.#arrival = [];
    this.#orders.clear();
    this.#query = NOTHING_ASKED;
    this.#counts.clear();
    this.#search('');
  }

  #append(user: OnlineUser): void {
    const slot = this.#rows.length;
    this.#slots.set(user.userId, slot);
    this.#arrival.push(slot);
    this.#enter(slot, user);
  }

  #remove(userId: string, slot: number): void {
    this.#leave(slot);
    this.#slots.delete(userId);
    this.#arrival.splice(placeIn(this.#arrival, (other) => other < slot), 1);
    this.#rows[slot] = undefined;
    this.#texts[slot] = '';
  }

  #enter(slot: number, user: OnlineUser): void {
    this.#rows[slot] = user;
    this.#texts[slot] = shortTextOf(user);
    for (const order of this.#orders.values()) order.enter(slot, user);
    if (this.#words.length === 0) return this.#count(slot, 1);
    if (slot >= this.#marks.length) {
      const larger = new Uint8Array(slot * 2);
      larger.set(this.#marks);
      this.#marks = larger;
    }
    this.#mark(slot, matches(this.#texts[slot] ?? '', this.#words));
  }

  #leave(slot: number): void {
    for (const order of this.#orders.values()) order.leave(slot);
    if (this.#words.length === 0) return this.#count(slot, -1);
    this.#mark(slot, false);
  }

  #count(slot: number, change: number): void {
    if (this.#query.group === null) return;
    const value = this.#rows[slot]?.url?.toLowerCase() ?? '';
    const count = (this.#counts.get(value) ?? 0) + change;
    if (count > 0) this.#counts.set(value, count);
    else this.#counts.delete(value);
  }

  #recount(): void {
    this.#counts.clear();
    for (const slot of this.#arrival) {
      if (this.#words.length === 0 || this.#marks[slot]) this.#count(slot, 1);
    }
  }

  #mark(slot: number, matching: boolean): void {
    const mark = matching ? 1 : 0;
    const change = mark - (this.#marks[slot] ?? 0);
    this.#total += change;
    this.#marks[slot] = mark;
    if (change !== 0) this.#count(slot, change);
  }

  #search(search: string): void {
    this.#words = words(search);
    if (this.#words.length === 0) return;
    const texts = this.#texts;
    const wanted = this.#words;
    if (this.#marks.length < texts.length) this.#marks = new Uint8Array(texts.length);
    this.#marks.fill(0);
    let total = 0;
    // A word by itself is nearly always all there is, and the shortest loop for it is faster.
    const [word = ''] = wanted;
    const rest = wanted.slice(1);
    for (let slot = 0; slot < texts.length; slot++) {
      const text = texts[slot] ?? '';
      if (text.includes(word) && matches(text, rest)) {
        this.#marks[slot] = 1;
        total++;
      }
    }
    this.#total = total;
  }

  #order(sort: Sort): Order {
    const name = `${sort.field} ${sort.descending}`;
    let order = this.#orders.get(name);
    if (!order) {
      order = new Order(sort, this.#arrival, this.#rows);
      this.#orders.set(name, order);
    }
    return order;
  }
}

/** All rows by one field. */
class Order {
  readonly #field: Sort['field'];
  readonly #sign: number;
  readonly #keys: string[] = [];
  readonly slots: number[];

  constructor(
    { field, descending }: Sort,
    slots: readonly number[],
    rows: readonly (OnlineUser | undefined)[],
  ) {
    this.#field = field;
    this.#sign = descending ? -1 : 1;
    for (const slot of slots) this.#keys[slot] = rows[slot]?.[field] ?? '';
    this.slots = slots.toSorted((one, other) => this.#compare(one, other));
  }

  enter(slot: number, user: OnlineUser): void {
    this.#keys[slot] = user[this.#field] ?? '';
    this.slots.splice(this.#place(slot), 0, slot);
  }

  leave(slot: number): void {
    this.slots.splice(this.#place(slot), 1);
  }

  #place(slot: number): number {
    return placeIn(this.slots, (other) => this.#compare(other, slot) < 0);
  }

  #compare(one: number, other: number): number {
    const [left, right] = [this.#keys[one] ?? '', this.#keys[other] ?? ''];
    return left < right ? -this.#sign : left > right ? this.#sign : one - other;
  }
}

/** Where a row is searched. What the address of its page says already is not said again: less to look through. */
function shortTextOf({ userId, domain = '', origin = '', url = '' }: OnlineUser): string {
  let text = `${userId}\n${url}`;
  for (const other of [origin, domain]) {
    if (!url.includes(other)) text += `\n${other}`;
  }
  return text.toLowerCase();
}

const matches = (text: string, words: readonly string[]): boolean =>
  words.every((word) => text.includes(word));

/** The number of slots at the front of which `before` is true. */
function placeIn(slots: readonly number[], before: (slot: number) => boolean): number {
  let [low, high] = [0, slots.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(slots[middle] ?? 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}
