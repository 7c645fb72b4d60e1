/**
 * Queries and rows as the index takes them: texts in numbered columns, in lower case.
 *
 * A text never contains the character that ends texts, so no user's id can shift the texts of others.
 */
import type { OnlineUser } from '../types.js';
import type {
  OnlineUsersFilter,
  OnlineUsersGroupField,
  OnlineUsersQuery,
  OnlineUsersSortField,
} from './types.js';

const TEXT_END = '\x01';
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
  /** 0: not grouped; otherwise a grouping's number and one more. */
  readonly group: number;
}

/** After all dates. */
const NEVER = '~';

/** What a row has in each column, the first of which is what is searched. */
const COLUMNS = {
  search: searchable,
  connectedAt: itself('connectedAt'),
  userId: itself('userId'),
  domain: itself('domain'),
  origin: itself('origin'),
  url: itself('url'),
  title: itself('title'),
  startedAt: (row: OnlineUser) => textOf(row.startedAt) || textOf(row.connectedAt),
  idleSince: (row: OnlineUser) => textOf(row.idleSince) || NEVER,
  visits: (row: OnlineUser) => ordered(row.visits, 0),
  tabs: (row: OnlineUser) => ordered(row.tabs, 1),
  idle: (row: OnlineUser) => truth(textOf(row.idleSince) !== ''),
  returning: (row: OnlineUser) => truth(numberOf(row.visits, 0) > 1),
};

type Column = keyof typeof COLUMNS;

const NAMES = Object.keys(COLUMNS) as Column[];
const READERS = Object.values(COLUMNS);
const SEARCH = 0;

const columnOf = (column: Column) => NAMES.indexOf(column);

const FILTERS: Record<keyof OnlineUsersFilter, readonly [Column, Test]> = {
  domain: ['domain', Test.Equals],
  origin: ['origin', Test.Equals],
  url: ['url', Test.Equals],
  urlPrefix: ['url', Test.StartsWith],
  idle: ['idle', Test.Equals],
  returning: ['returning', Test.Equals],
};

/** By their numbers. */
const GROUPINGS: readonly OnlineUsersGroupField[] = ['url', 'domain'];

export function plan({ filter = {}, search = '', sort = 'arrival', group }: OnlineUsersQuery): Plan {
  const conditions: Condition[] = [];
  for (const [name, [column, test]] of Object.entries(FILTERS)) {
    const wanted = filter[name as keyof OnlineUsersFilter] ?? '';
    const text = typeof wanted === 'boolean' ? truth(wanted) : normal(wanted);
    if (text) {
      conditions.push({ column: columnOf(column), test, text });
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
  return { sort: order, conditions, columns, group: group ? GROUPINGS.indexOf(group) + 1 : 0 };
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
    all += (row ? clean(READERS[column]?.(row) ?? '') : '') + TEXT_END;
  }
  return all.toLowerCase();
}

/** What a row has in the field of a grouping. */
export function groupValue(grouping: number, row: OnlineUser): string {
  const field = GROUPINGS[grouping];
  return field ? COLUMNS[field](row) : '';
}

/** All that is searched. What a field says that another one says too is there once: less to look through. */
function searchable(row: OnlineUser): string {
  const url = textOf(row.url);
  let all = textOf(row.userId) + FIELD_END + url;
  for (const text of [textOf(row.origin), textOf(row.domain), textOf(row.title)]) {
    if (!url.includes(text)) {
      all += FIELD_END + text;
    }
  }
  return all;
}

function itself(field: keyof OnlineUser) {
  return (row: OnlineUser) => textOf(row[field]);
}

/** Rows are as they came, so a field may be anything. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' && value >= 0 ? count(value, otherwise) : otherwise;
}

/** A number as a text that orders as the number does: how long it is, as a letter, and the number. */
function ordered(value: unknown, otherwise: number): string {
  const digits = String(numberOf(value, otherwise));
  return String.fromCharCode(0x60 + digits.length) + digits;
}

const truth = (is: boolean) => (is ? 'y' : 'n');

function normal(text: string): string {
  return clean(text).toLowerCase();
}

function clean(text: string): string {
  return text.includes(TEXT_END) ? text.replaceAll(TEXT_END, ' ') : text;
}
