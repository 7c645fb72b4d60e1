/** What is measured of views: something that follows rows and answers queries about them. */
import type { OnlineUser } from './subject.ts';

export type SortField = 'userId' | 'connectedAt' | 'domain' | 'url';

export interface Query {
  /** Words that must all occur in a row, whatever their case. */
  readonly search: string;
  /** `null`: in order of arrival, which also decides among equals. */
  readonly sort: { readonly field: SortField; readonly descending: boolean } | null;
  /** What the rows are counted by, apart from their case; `null`: nothing. */
  readonly group: 'url' | null;
  readonly offset: number;
  readonly limit: number;
}

/** How many rows have the same value. */
export interface Group {
  readonly value: string;
  readonly count: number;
}

export interface Answer {
  readonly users: readonly OnlineUser[];
  readonly total: number;
  /** The largest groups, at most `MOST_GROUPS` of them. */
  readonly groups: readonly Group[];
  readonly groupTotal: number;
}

export const MOST_GROUPS = 200;

export interface ViewSubject {
  /** Takes a list in, and resolves when it can be asked about it. */
  open(list: string): Promise<void>;
  /** Resolves with the answer, or with the first one that looks like the right one. */
  ask(query: Query, right: Answer): Answer | Promise<Answer>;
  /** Takes events in; the query that was asked last has another answer now. */
  change(events: readonly string[], right: Answer): Answer | Promise<Answer>;
  close(): void;
}

/** The largest first, equal ones by their value. */
export function largest(counts: ReadonlyMap<string, number>): Pick<Answer, 'groups' | 'groupTotal'> {
  const groups = Array.from(counts, ([value, count]) => ({ value, count }));
  groups.sort((one, two) => two.count - one.count || (one.value < two.value ? -1 : 1));
  return { groups: groups.slice(0, MOST_GROUPS), groupTotal: counts.size };
}

export const words = (search: string): string[] =>
  search.toLowerCase().split(/\s+/).filter((word) => word !== '');

/** Where a row is searched. */
export const textOf = ({ userId, domain, origin, url }: OnlineUser): string =>
  [userId, domain, origin, url].join('\n').toLowerCase();
