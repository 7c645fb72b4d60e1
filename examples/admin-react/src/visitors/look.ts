/**
 * How the list is looked at: what is searched, which visitors count, in which order. Pure.
 *
 * Orders are said as one sees them: time on the site ascends from those who have just come, though their moments descend.
 */
import type { OnlineUsersFilter, OnlineUsersQuery, OnlineUsersSortField } from '@amoiq/chat-widget';

export type Column = 'visitor' | 'page' | 'stay' | 'visits' | 'tabs' | 'state';
export type Direction = 'ascending' | 'descending';
export type Activity = 'all' | 'active' | 'idle';
export type Acquaintance = 'all' | 'new' | 'returning';

export interface Look {
  readonly search: string;
  readonly domain: string;
  readonly page: string;
  readonly activity: Activity;
  readonly acquaintance: Acquaintance;
  readonly sort: { readonly column: Column; readonly direction: Direction };
}

export const AT_FIRST: Look = {
  search: '',
  domain: '',
  page: '',
  activity: 'all',
  acquaintance: 'all',
  sort: { column: 'stay', direction: 'ascending' },
};

/** By what a column sorts, whether that runs against what one sees, and what a first click asks for. */
const SORTS: Record<Column, { field: OnlineUsersSortField; isReversed: boolean; first: Direction }> = {
  visitor: { field: 'userId', isReversed: false, first: 'ascending' },
  page: { field: 'url', isReversed: false, first: 'ascending' },
  stay: { field: 'startedAt', isReversed: true, first: 'ascending' },
  visits: { field: 'visits', isReversed: false, first: 'descending' },
  tabs: { field: 'tabs', isReversed: false, first: 'descending' },
  state: { field: 'idleSince', isReversed: true, first: 'ascending' },
};

/** A click on a column's head: by it, or the other way round. */
export function sortedBy(look: Look, column: Column): Look {
  const { sort } = look;
  const other = sort.direction === 'ascending' ? 'descending' : 'ascending';
  const direction = sort.column === column ? other : SORTS[column].first;
  return { ...look, sort: { column, direction } };
}

/** Whether it leaves anybody out. */
export function isNarrowed({ search, domain, page, activity, acquaintance }: Look): boolean {
  return search.trim() !== '' || domain !== '' || page !== '' || activity !== 'all' || acquaintance !== 'all';
}

/** Everybody again, in the order of before. */
export function widened(look: Look): Look {
  return { ...AT_FIRST, sort: look.sort };
}

/** What to ask a view for, but for the window. */
export function queryOf(look: Look): OnlineUsersQuery {
  const { field, isReversed } = SORTS[look.sort.column];
  const ascends = (look.sort.direction === 'ascending') !== isReversed;
  return {
    search: look.search,
    filter: filterOf(look),
    sort: { field, direction: ascends ? 'asc' : 'desc' },
  };
}

/** Whom to count by page: those who would be there with any page. */
export function pagesOf(look: Look): OnlineUsersQuery {
  return { search: look.search, filter: filterOf({ ...look, page: '' }), group: 'url', limit: 0 };
}

function filterOf({ domain, page, activity, acquaintance }: Look): OnlineUsersFilter {
  return {
    domain,
    url: page,
    idle: activity === 'all' ? undefined : activity === 'idle',
    returning: acquaintance === 'all' ? undefined : acquaintance === 'returning',
  };
}
