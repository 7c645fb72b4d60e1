/** What is measured of views: something that follows rows and answers queries about them. */
import type { OnlineUser } from './subject.ts';

export type SortField = 'userId' | 'connectedAt' | 'domain' | 'url';

export interface Query {
  /** Words that must all occur in a row, whatever their case. */
  readonly search: string;
  /** `null`: in order of arrival, which also decides among equals. */
  readonly sort: { readonly field: SortField; readonly descending: boolean } | null;
  readonly offset: number;
  readonly limit: number;
}

export interface Answer {
  readonly users: readonly OnlineUser[];
  readonly total: number;
}

export interface ViewSubject {
  /** Takes a list in, and resolves when it can be asked about it. */
  open(list: string): Promise<void>;
  /** Resolves with the answer, or with the first one that looks like the right one. */
  ask(query: Query, right: Answer): Answer | Promise<Answer>;
  /** Takes events in; the query that was asked last has another answer now. */
  change(events: readonly string[], right: Answer): Answer | Promise<Answer>;
  close(): void;
}

export const words = (search: string): string[] =>
  search.toLowerCase().split(/\s+/).filter((word) => word !== '');

/** Where a row is searched. */
export const textOf = ({ userId, domain, origin, url }: OnlineUser): string =>
  [userId, domain, origin, url].join('\n').toLowerCase();
