/**
 * Which rows have the same value in a field: what the index counts by are numbers, and this gives them.
 *
 * What must stay true: rows whose values differ in letter case alone have one number. A number stays with its value for as
 * long as a row has it, and goes to another value afterwards, so there are never more numbers than rows.
 */
import type { OnlineUser } from '../types.js';
import { groupValue } from './query.js';

/** No group: the row is gone. */
const NONE = 0;

export class Groups {
  readonly #grouping: number;
  readonly #numbers = new Map<string, number>();
  /** By number: the value as the first row had it, and how many rows have it now. */
  readonly #values: string[] = [''];
  readonly #uses: number[] = [0];
  readonly #free: number[] = [];
  /** By slot. */
  readonly #given: number[] = [];
  /** How many slots, from the first on, have been told. */
  told = 0;

  constructor(grouping: number) {
    this.#grouping = grouping;
  }

  /** The number that a row has from now on. */
  number(slot: number, row: OnlineUser | undefined): number {
    const before = this.#given[slot] ?? NONE;
    const value = row && groupValue(this.#grouping, row);
    // First taken, then let go: what does not change keeps its number.
    const number = value === undefined ? NONE : this.#take(value);
    this.#letGo(before);
    this.#given[slot] = number;
    return number;
  }

  value(number: number): string {
    return this.#values[number] ?? '';
  }

  #take(value: string): number {
    const text = value.toLowerCase();
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#free.pop() ?? this.#values.length;
      this.#numbers.set(text, number);
      this.#values[number] = value;
      this.#uses[number] = 0;
    }
    this.#uses[number] = (this.#uses[number] ?? 0) + 1;
    return number;
  }

  #letGo(number: number): void {
    const uses = (this.#uses[number] ?? 0) - 1;
    this.#uses[number] = uses;
    if (number !== NONE && uses === 0) {
      this.#numbers.delete(this.value(number).toLowerCase());
      this.#free.push(number);
    }
  }
}
