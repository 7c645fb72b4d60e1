/** Rows for views: what a store's shelf is to them, and the naive way to the same answer. */
import type { ChatError } from '../lib/errors.js';
import type { OnlineUser } from '../lib/types.js';
import type {
  OnlineUsersGroup,
  OnlineUsersQuery,
  OnlineUsersSortField,
  UserRows,
  ViewSource,
} from '../lib/view/types.js';

export class FakeRows implements UserRows, ViewSource {
  rows: (OnlineUser | undefined)[] = [];
  dirty: number[] | null = null;
  readonly slots = new Map<string, number>();
  generation = 0;
  /** Whether there are rows to be followed already. */
  isThere = true;
  current: { isLoading: boolean; error: ChatError | null } = { isLoading: false, error: null };
  readonly followers = new Set<() => void>();

  put(user: OnlineUser): void {
    const slot = this.rows.findIndex((row) => row?.userId === user.userId);
    this.#set(slot < 0 ? this.rows.length : slot, user);
  }

  remove(userId: string): void {
    const slot = this.rows.findIndex((row) => row?.userId === userId);
    if (slot >= 0) {
      this.#set(slot, undefined);
    }
  }

  /** Renumbers the slots without those that are empty. */
  squeeze(): void {
    this.rows = this.rows.filter((row) => row);
    this.generation++;
  }

  /** Says so to those who follow, as a store does once per frame. */
  tell(): void {
    this.followers.forEach((changed) => changed());
  }

  users(): OnlineUser[] {
    return this.rows.filter((row) => row !== undefined);
  }

  follow(changed: () => void) {
    this.followers.add(changed);
    return {
      now: () => ({ rows: this.isThere ? this : undefined, ...this.current }),
      release: () => this.followers.delete(changed),
    };
  }

  #set(slot: number, user: OnlineUser | undefined): void {
    this.rows[slot] = user;
    this.dirty?.push(slot);
  }
}

/** Filter, search and stable sort of all rows. */
export function naive(
  rows: readonly (OnlineUser | undefined)[],
  { filter = {}, search = '', sort = 'arrival' }: OnlineUsersQuery,
): OnlineUser[] {
  const lower = (text: string | undefined) => (text ?? '').toLowerCase();
  const equal = (text: string | undefined, wanted: string | undefined) =>
    !wanted || lower(text) === lower(wanted);
  const words = lower(search).split(/\s+/).filter(Boolean);
  const found = rows.filter((row): row is OnlineUser => {
    const texts = [row?.userId, row?.domain, row?.origin, row?.url, row?.title].map(lower);
    return (
      row !== undefined &&
      equal(row.domain, filter.domain) &&
      equal(row.origin, filter.origin) &&
      equal(row.url, filter.url) &&
      lower(row.url).startsWith(lower(filter.urlPrefix)) &&
      (filter.idle === undefined || filter.idle === (row.idleSince !== undefined)) &&
      (filter.returning === undefined || filter.returning === (row.visits ?? 0) > 1) &&
      words.every((word) => texts.some((text) => text.includes(word)))
    );
  });
  if (sort !== 'arrival') {
    const { field, direction = 'asc' } = typeof sort === 'string' ? { field: sort } : sort;
    const sign = direction === 'desc' ? -1 : 1;
    found.sort((one, two) => {
      const [a, b] = [sortedBy(one, field), sortedBy(two, field)];
      return a < b ? -sign : a > b ? sign : 0;
    });
  }
  return found;
}

function sortedBy(row: OnlineUser, field: OnlineUsersSortField): string | number {
  switch (field) {
    case 'visits':
      return row.visits ?? 0;
    case 'tabs':
      return row.tabs ?? 1;
    case 'startedAt':
      return row.startedAt ?? row.connectedAt;
    case 'idleSince':
      return row.idleSince ?? '9999';
    case 'connectedAt':
    case 'userId':
    case 'domain':
    case 'url':
    case 'title':
      return (row[field] ?? '').toLowerCase();
  }
}

/** The groups of rows, their values in lower case. */
export function naiveGroups(
  rows: readonly OnlineUser[],
  { group }: OnlineUsersQuery,
): OnlineUsersGroup[] {
  const counts = new Map<string, number>();
  for (const row of group ? rows : []) {
    const value = ((group && row[group]) ?? '').toLowerCase();
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const groups = Array.from(counts, ([value, count]) => ({ value, count }));
  return groups.sort((one, two) => two.count - one.count || (one.value < two.value ? -1 : 1));
}

/** Numbers that are the same for the same seed. */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
