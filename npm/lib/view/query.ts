/**
 * Queries and rows as the index takes them: texts in numbered columns, in lower case.
 *
 * A text never contains the character that ends texts, so no user's id can shift the texts of others.
 */
import type { OnlineUser } from '../types.js';
import type { OnlineUsersFilter, OnlineUsersQuery, OnlineUsersSortField } from './types.js';

export const TEXT_END = '\x01';
const FIELD_END = '\0';

export const enum Test {
  Contains = 0,
  Equals = 1,
  StartsWith = 2,
}

export interface Condition {
  readonly column: number;
  readonly test: Test;
  readonly text: string;
}

export interface Plan {
  /** 0: in order of arrival; otherwise a column's number and one more, negative for the largest first. */
  readonly sort: number;
  readonly conditions: readonly Condition[];
  /** Which columns must be complete. */
  readonly columns: ReadonlySet<number>;
}

const SEARCH = 0;
const FIELDS = ['connectedAt', 'userId', 'domain', 'origin', 'url'] as const;

type Field = (typeof FIELDS)[number];

const columnOf = (field: Field) => FIELDS.indexOf(field) + 1;

const FILTERS: Record<keyof OnlineUsersFilter, readonly [Field, Test]> = {
  domain: ['domain', Test.Equals],
  origin: ['origin', Test.Equals],
  url: ['url', Test.Equals],
  urlPrefix: ['url', Test.StartsWith],
};

export function plan({ filter = {}, search = '', sort = 'arrival' }: OnlineUsersQuery): Plan {
  const conditions: Condition[] = [];
  for (const [name, [field, test]] of Object.entries(FILTERS)) {
    const text = normal(filter[name as keyof OnlineUsersFilter] ?? '');
    if (text) {
      conditions.push({ column: columnOf(field), test, text });
    }
  }
  // The longest word is likely to be the rarest, and leaves the least to do for the others.
  const words = new Set(normal(search).split(/[\s\0]+/).filter(Boolean));
  for (const text of [...words].sort((one, two) => two.length - one.length)) {
    conditions.push({ column: SEARCH, test: Test.Contains, text });
  }
  const order = sortOf(sort);
  const columns = new Set(conditions.map(({ column }) => column));
  if (order) {
    columns.add(Math.abs(order) - 1);
  }
  return { sort: order, conditions, columns };
}

function sortOf(sort: NonNullable<OnlineUsersQuery['sort']>): number {
  if (sort === 'arrival') {
    return 0;
  }
  const { field, direction = 'asc' }: { field: OnlineUsersSortField; direction?: string | undefined } =
    typeof sort === 'string' ? { field: sort } : sort;
  const column = columnOf(field) + 1;
  return direction === 'desc' ? -column : column;
}

/** A count as the caller meant it: whole, and not negative. */
export function count(value: number | undefined, otherwise: number): number {
  return value === undefined || Number.isNaN(value)
    ? otherwise
    : Math.trunc(Math.min(Math.max(value, 0), 0x7fffffff));
}

/** The texts of rows in a column, each with its end. */
export function texts(column: number, rows: readonly (OnlineUser | undefined)[]): string {
  let all = '';
  for (const row of rows) {
    all += (row ? clean(column === SEARCH ? searchable(row) : read(row, column)) : '') + TEXT_END;
  }
  return all.toLowerCase();
}

function read(row: OnlineUser, column: number): string {
  const field = FIELDS[column - 1];
  return field ? textOf(row[field]) : '';
}

/** All that is searched. What a field says that another one says too is there once: less to look through. */
function searchable(row: OnlineUser): string {
  const url = textOf(row.url);
  let all = textOf(row.userId) + FIELD_END + url;
  for (const text of [textOf(row.origin), textOf(row.domain)]) {
    if (!url.includes(text)) {
      all += FIELD_END + text;
    }
  }
  return all;
}

/** Rows are as they came, so a field may be anything. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function normal(text: string): string {
  return clean(text).toLowerCase();
}

function clean(text: string): string {
  return text.includes(TEXT_END) ? text.replaceAll(TEXT_END, ' ') : text;
}
