// The rows, in JavaScript: user ids and rows never cross into the core, which knows slots only. What the functions here do
// is said by the trait `Shelf` of `protocol/src/roster/shelf.rs`; nothing is decided here.
//
// What must stay true: `ids[slot]` is undefined exactly where the slot is nobody's, `slots` is the way back, and `rows` is
// as long as `ids`.

const text = (value) => (typeof value === 'string' ? value : undefined);

/** The user that `{ userId }` or the bare string names. */
export const userIdOf = (payload) => text(payload?.userId ?? payload);

const named = (row) => text(row?.userId);

/** The rows of `{ users: […] }`, of the bare array, or of a delta. */
export function rowsOf(payload) {
  const rows = payload?.users ?? payload?.online ?? payload;
  if (!Array.isArray(rows)) return undefined;
  // Hardly ever is there one without.
  return rows.every(named) ? rows : rows.filter(named);
}

/** The ids of those who have left, in a delta. */
export const leaversOf = ({ offline }) => (Array.isArray(offline) ? offline : []);

export class Shelf {
  /** By slot: the row, undefined where there is none. */
  rows = [];
  ids = [];
  slots = new Map();
  /** How many rows there are. */
  size = 0;
  /** Who watches the rows by slot puts an array here, and finds the slots that changed in it. */
  dirty = null;
  /** Another number whenever slots have got other numbers. */
  generation = 0;
  /** Called when rows change that `users` has shown, or when `dirty` begins to fill. It must not call into the core. */
  onchange = () => {};
  #users;

  /** The rows in order of arrival: the same array until they change. */
  users() {
    if (this.#users) return this.#users;
    // A copy closed up in place: five times as fast as a filter.
    const users = this.rows.slice();
    if (this.size < users.length) {
      let at = 0;
      for (let from = 0; from < users.length; from++) {
        const row = users[from];
        if (row) users[at++] = row;
      }
      users.length = at;
    }
    return (this.#users = users);
  }

  set(slot, row) {
    this.size += !!row - !!this.rows[slot];
    this.rows[slot] = row;
    // Whoever watches is told once until they have taken what is there.
    if (this.dirty?.push(slot) === 1 || this.#users) {
      this.#users = undefined;
      this.onchange();
    }
  }

  push(id) {
    const slot = this.ids.push(id) - 1;
    this.rows.push(undefined);
    this.slots.set(id, slot);
    return slot;
  }
}

export const shelf = () => new Shelf();

export const count = (list) => list.length;

export const find = (shelf, user) => shelf.slots.get(userIdOf(user)) ?? -1;

export function place(shelf, user) {
  const id = userIdOf(user);
  return id ? (shelf.slots.get(id) ?? shelf.push(id)) : -1;
}

/** The slots of rows or ids; -1 in an array of unsigned numbers is no slot. */
export function placeAll(shelf, list, placed, make) {
  const slotOf = make ? place : find;
  for (let at = 0; at < placed.length; at++) placed[at] = slotOf(shelf, list[at]);
}

export function put(shelf, slot, row) {
  const before = shelf.rows[slot];
  const other = !before || !same(before, row);
  if (other) shelf.set(slot, row);
  return other;
}

export function fill(shelf, list, placed) {
  let others = 0;
  for (let at = 0; at < placed.length; at++) {
    if (shelf.ids[placed[at]]) others += put(shelf, placed[at], list[at]);
  }
  return others;
}

export function clear(shelf, slot, keep) {
  if (shelf.rows[slot]) shelf.set(slot);
  if (!keep) {
    shelf.slots.delete(shelf.ids[slot]);
    shelf.ids[slot] = undefined;
  }
}

export function renew(shelf, slot) {
  const id = shelf.ids[slot];
  shelf.ids[slot] = undefined;
  return shelf.push(id);
}

export function squeeze(shelf) {
  shelf.rows = shelf.rows.filter((_, slot) => shelf.ids[slot] !== undefined);
  shelf.ids = shelf.ids.filter((id) => id !== undefined);
  shelf.slots = new Map(shelf.ids.map((id, slot) => [id, slot]));
  shelf.generation++;
}

/** Whether two rows of one user say the same. Values are compared as JSON where they are no plain ones. */
function same(one, two) {
  let fields = 0;
  for (const name in one) {
    fields++;
    // The slot is that user's; reading the older text would cost more than the rest.
    if (name === 'userId') continue;
    const mine = one[name];
    const other = two[name];
    if (
      mine !== other &&
      !(typeof mine === 'object' && JSON.stringify(mine) === JSON.stringify(other))
    )
      return false;
  }
  for (const _ in two) fields--;
  return fields === 0;
}
