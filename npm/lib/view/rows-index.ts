/**
 * The index of a store's rows: keeps `client-wasm/view` in step with them, a little at a time.
 *
 * What must stay true: rows are read and told by slot only, a change in all columns that are in use;
 * and what is shown belongs to the rows as they are, because a window is read only when every change has
 * been told. It knows no clock: it works until it is told to stop.
 */
import type { OnlineUser } from '../types.js';
import { Groups } from './groups.js';
import { texts, type Plan } from './query.js';
import type { OnlineUsersGroup, ViewRows } from './types.js';

/** What the module exports; `client-wasm/view/src/shell.rs` says what each does. */
export interface ViewExports {
  memory: WebAssembly.Memory;
  text(length: number): number;
  slots(count: number): number;
  rows(): void;
  texts(column: number, length: number): void;
  groups(grouping: number): void;
  apply(): void;
  condition(column: number, test: number, length: number): void;
  ask(view: number, sort: number, group: number): void;
  close(view: number): void;
  total(view: number): number;
  window(view: number, offset: number, limit: number): number;
  largest(view: number, limit: number): number;
  reset(): void;
}

/** Marks a slot whose row is gone. */
const GONE = 0x80000000;

/** How many rows are told at a time: well under a millisecond of work. */
const PORTION = 512;

/** How many groups are shown. */
const GROUPS = 200;

interface Asked {
  readonly plan: Plan;
  answered: boolean;
}

export class ViewIndex {
  readonly #wasm: ViewExports;
  readonly #source: ViewRows;
  readonly #encoder = new TextEncoder();
  readonly #views = new Map<number, Asked>();
  /** How many slots, from the first on, have been told in each column in use. */
  readonly #columns = new Map<number, number>();
  /** The groupings in use, by number. */
  readonly #groupings = new Map<number, Groups>();
  /** Another number than any generation: nothing has been told. */
  #generation = -1;
  /** Slots whose change is still to be told. */
  #changed: number[] = [];
  /** The numbers of views that were closed, for those that are opened next: the module keeps a place for each number. */
  readonly #free: number[] = [];
  #lastView = -1;

  constructor(wasm: ViewExports, source: ViewRows) {
    this.#wasm = wasm;
    this.#source = source;
    source.dirty = [];
  }

  /** Opens a view. It shows nothing before it has been asked something. */
  open(): number {
    return this.#free.pop() ?? ++this.#lastView;
  }

  close(view: number): void {
    this.#views.delete(view);
    this.#wasm.close(view);
    this.#free.push(view);
  }

  /** Lets the rows go. */
  free(): void {
    this.#source.dirty = null;
  }

  ask(view: number, plan: Plan): void {
    this.#views.set(view, { plan, answered: false });
  }

  /** Brings all views up to date, unless it is told to stop before. Whether it has got that far. */
  advance(isOver: () => boolean): boolean {
    if (this.#source.generation !== this.#generation) {
      this.#startOver();
    }
    const caughtUp =
      this.#tellChanges(isOver) && this.#tellColumns(isOver) && this.#tellGroupings(isOver);
    if (caughtUp) {
      this.#wasm.apply();
      for (const [view, asked] of this.#views) {
        if (!asked.answered) {
          asked.answered = true;
          this.#askNow(view, asked.plan);
        }
      }
    }
    return caughtUp;
  }

  total(view: number): number {
    return this.#wasm.total(view);
  }

  /** A view's rows from the `offset`th on. */
  window(view: number, offset: number, limit: number): OnlineUser[] {
    const length = this.#wasm.window(view, offset, limit);
    const users: OnlineUser[] = [];
    for (const slot of this.#slots(length)) {
      const row = this.#source.rows[slot];
      if (row) {
        users.push(row);
      }
    }
    return users;
  }

  /** The largest groups of a view's rows, and how many there are. */
  groups(view: number): { groups: OnlineUsersGroup[]; groupTotal: number } {
    const values = this.#groupings.get((this.#views.get(view)?.plan.group ?? 0) - 1);
    const groupTotal = values ? this.#wasm.largest(view, GROUPS) : 0;
    const pairs = this.#slots(2 * Math.min(groupTotal, GROUPS));
    const groups = Array.from({ length: pairs.length / 2 }, (_, at) => ({
      value: values?.value(pairs[2 * at] ?? 0) ?? '',
      count: pairs[2 * at + 1] ?? 0,
    }));
    groups.sort((one, two) => two.count - one.count || (one.value < two.value ? -1 : 1));
    return { groups, groupTotal };
  }

  #startOver(): void {
    this.#generation = this.#source.generation;
    this.#source.dirty = [];
    this.#changed = [];
    this.#columns.clear();
    this.#groupings.clear();
    this.#wasm.reset();
    for (const asked of this.#views.values()) {
      asked.answered = false;
    }
    this.#tellRows(Array.from(this.#source.rows.keys()));
  }

  #tellChanges(isOver: () => boolean): boolean {
    const { dirty } = this.#source;
    if (dirty && dirty.length > 0) {
      this.#source.dirty = [];
      this.#changed = [...new Set(this.#changed.concat(dirty))];
    }
    while (this.#changed.length > 0) {
      if (isOver()) {
        return false;
      }
      const slots = this.#changed.splice(-PORTION);
      this.#tellRows(slots);
      for (const column of this.#columns.keys()) {
        this.#tellTexts(column, slots);
      }
      for (const [grouping, groups] of this.#groupings) {
        this.#tellGroups(grouping, groups, slots);
      }
    }
    return true;
  }

  /** Completes the columns that views ask for. */
  #tellColumns(isOver: () => boolean): boolean {
    const { rows } = this.#source;
    for (const { plan } of this.#views.values()) {
      for (const column of plan.columns) {
        let told = this.#columns.get(column) ?? 0;
        while (told < rows.length) {
          if (isOver()) {
            return false;
          }
          const portion = this.#portion(told);
          this.#putSlots(portion);
          this.#tellTexts(column, portion);
          told += portion.length;
          this.#columns.set(column, told);
        }
      }
    }
    return true;
  }

  /** Completes the groupings that views ask for. */
  #tellGroupings(isOver: () => boolean): boolean {
    for (const { plan } of this.#views.values()) {
      const grouping = plan.group - 1;
      if (grouping < 0) {
        continue;
      }
      const groups = this.#groupings.get(grouping) ?? new Groups(grouping);
      this.#groupings.set(grouping, groups);
      while (groups.told < this.#source.rows.length) {
        if (isOver()) {
          return false;
        }
        const portion = this.#portion(groups.told);
        this.#tellGroups(grouping, groups, portion);
        groups.told += portion.length;
      }
    }
    return true;
  }

  /** The slots from `told` on, as many as are told at a time. */
  #portion(told: number): number[] {
    const length = Math.min(PORTION, this.#source.rows.length - told);
    return Array.from({ length }, (_, at) => told + at);
  }

  #tellRows(slots: readonly number[]): void {
    const { rows } = this.#source;
    this.#putSlots(slots.map((slot) => (rows[slot] ? slot : slot + GONE)));
    this.#wasm.rows();
  }

  #putSlots(slots: readonly number[]): void {
    this.#slots(slots.length).set(slots);
  }

  /** The texts of the slots that were put last. */
  #tellTexts(column: number, slots: readonly number[]): void {
    const { rows } = this.#source;
    this.#wasm.texts(column, this.#putText(texts(column, slots.map((slot) => rows[slot]))));
  }

  #tellGroups(grouping: number, groups: Groups, slots: readonly number[]): void {
    const { rows } = this.#source;
    this.#putSlots(slots.flatMap((slot) => [slot, groups.number(slot, rows[slot])]));
    this.#wasm.groups(grouping);
  }

  #askNow(view: number, { sort, conditions, group }: Plan): void {
    for (const { column, test, text } of conditions) {
      this.#wasm.condition(column, test, this.#putText(text));
    }
    this.#wasm.ask(view, sort, group);
  }

  /** How many bytes it has. */
  #putText(text: string): number {
    // The most that UTF-8 needs.
    const room = text.length * 3;
    const start = this.#wasm.text(room);
    const bytes = new Uint8Array(this.#wasm.memory.buffer, start, room);
    return this.#encoder.encodeInto(text, bytes).written;
  }

  #slots(count: number): Uint32Array {
    const start = this.#wasm.slots(count);
    return new Uint32Array(this.#wasm.memory.buffer, start, count);
  }
}
