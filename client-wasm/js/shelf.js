// The rows, in JavaScript: user ids and rows never cross into the core, which knows slots only. What the functions here do
// is said by the trait `Shelf` of `protocol/src/roster/shelf.rs`; nothing is decided here.
//
// What must stay true: `ids[slot]` is undefined exactly where the slot is nobody's, `slots` is the way back, and `rows` is
// as long as `ids`.

const text = (value) => (typeof value === 'string' ? value : undefined);

/** The user that `{ userId }` or the bare string names. */
export const userIdOf = (payload) => text(payload?.userId ?? payload);

const named = (row) => text(row?.userId);

/** The list in `{ users: […] }`, the bare array, or that in a delta. There may be rows in it that name nobody. */
export function listOf(payload) {
  const list = payload?.users ?? payload?.online ?? payload;
  if (Array.isArray(list)) return list;
}

/** The rows of a list that name somebody. */
export const rowsOf = (payload) => listOf(payload)?.filter(named);

/** A part of the moment of a list or a delta: its epoch, its version, and those of where a delta begins. */
export const markOf = (payload, part) => {
  const moment = part < 2 ? payload : payload.since;
  const number = part % 2 ? moment?.version : moment?.epoch;
  return typeof number === 'number' ? number : NaN;
};

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
    const { rows, size } = this;
    const users = rows.slice(0, size + 1);
    // Each row is written over the gaps before it, without a branch: where the gaps are, no processor could foresee.
    let at = 0;
    for (let from = 0; from < rows.length; from++) {
      const row = rows[from];
      users[at] = row;
      at = (at + +(row !== undefined)) | 0;
    }
    users.length = size;
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

  /** Puts a row into its slot. Says whether that makes a difference. */
  put(slot, row) {
    const before = this.rows[slot];
    const other = !before || !same(before, row);
    if (other) this.set(slot, row);
    return other;
  }

  /** The slot of a user, a new one if they had none. */
  place(id) {
    return id ? (this.slots.get(id) ?? this.push(id)) : -1;
  }

  push(id, row) {
    const slot = this.ids.push(id) - 1;
    this.rows.push(undefined);
    this.slots.set(id, slot);
    if (row) this.set(slot, row);
    return slot;
  }
}

export const shelf = () => new Shelf();

export const count = (list) => list.length;

export function put(shelf, row) {
  const slot = shelf.place(named(row));
  return slot < 0 ? slot : slot * 2 + shelf.put(slot, row);
}

export function putAll(shelf, list, spared, placed) {
  const spares = new Set(spared);
  let others = 0;
  for (let at = 0; at < placed.length; at++) {
    const row = list[at];
    const slot = shelf.place(named(row));
    if (slot >= 0 && !spares.has(slot)) {
      placed[at] = slot;
      others += shelf.put(slot, row);
    }
  }
  return others;
}

export function remove(shelf, user, keep) {
  const id = userIdOf(user);
  const slot = keep ? shelf.place(id) : (shelf.slots.get(id) ?? -1);
  if (slot >= 0) clear(shelf, slot, keep);
  return slot;
}

/** In an array of unsigned numbers, -1 is no slot. */
export function removeAll(shelf, users, placed, keep) {
  for (let at = 0; at < placed.length; at++) placed[at] = remove(shelf, users[at], keep);
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
  const row = shelf.rows[slot];
  clear(shelf, slot);
  return shelf.push(id, row);
}

export function squeeze(shelf) {
  const { ids, rows, slots } = shelf;
  let to = 0;
  ids.forEach((id, from) => {
    if (id !== undefined) {
      slots.set(id, to);
      rows[to] = rows[from];
      ids[to++] = id;
    }
  });
  ids.length = rows.length = to;
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
