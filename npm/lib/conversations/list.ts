/**
 * A tenant's conversations as a value, the one in which something was last said first.
 *
 * What must stay true:
 * - Whatever is told and read, in whichever order and however often, of each conversation the newest summary stays, of equally
 *   new ones the one that came last; what changes nothing gives the very same value back.
 * - There is no gap: down to the last entry the list is whole, as far as its pages have been read. What was known before changes
 *   were missed stays only if the first page, read anew, reaches back to where they began to be.
 * - What the server has forgotten goes: it was known when the first page was asked for, and is not where it would be on it.
 */
import type { ConversationSummary } from '../types.js';

export interface List {
  /** Newest first. */
  readonly entries: readonly ConversationSummary[];
  /** Where the next page begins: undefined while nothing has been read, null after the last one. */
  readonly cursor: string | null | undefined;
  /** Up to which moment surely nothing has been missed; null while every change is told. */
  readonly whole: string | null;
}

export const EMPTY: List = { entries: [], cursor: undefined, whole: '' };

/** More would only slow the page down. What is older than all these is not shown. */
export const MOST_ENTRIES = 2000;

/**
 * How much earlier than the newest that is known something may have been said that is not, in milliseconds: servers have each
 * their clock, and tell of messages in another order than they take them in.
 */
const LATE = 60_000;

/** What was read of the list. */
export interface Page {
  readonly conversations: readonly ConversationSummary[];
  /** Null at the end. */
  readonly nextCursor: string | null;
}

/** Something was said. */
export function told(list: List, summary: ConversationSummary): List {
  return withEntries(list, merged(list.entries, [summary]));
}

/** From now on changes may be missed. */
export function unheard(list: List): List {
  return list.whole === null ? { ...list, whole: wholeUntil(list.entries) } : list;
}

/**
 * The first page was read.
 *
 * @param asked The list when it was asked for.
 * @param isTold Whether changes are told since before that.
 */
export function first(list: List, page: Page, asked: List, isTold: boolean): List {
  const remembered = withoutForgotten(list.entries, page, asked);
  const isAll = page.nextCursor === null;
  // Who has forgotten something there may have forgotten anything behind it, too.
  const isWhole = isAll || (reachesBack(list, page) && remembered === list.entries);
  const known = isWhole ? remembered : newerThan(remembered, page.conversations.at(-1));
  const { entries } = withEntries(list, merged(known, page.conversations));
  const whole = isTold ? null : wholeUntil(entries);
  const cursor = isWhole && !isAll && list.cursor !== undefined ? list.cursor : page.nextCursor;
  const isSame = list.cursor === cursor && list.whole === whole;
  return withEntries(isSame ? list : { ...list, cursor, whole }, entries);
}

/** What a page would have if there still were such a conversation; what has come since it was asked for is not for it to say. */
function withoutForgotten(
  entries: List['entries'],
  { conversations, nextCursor }: Page,
  asked: List,
): List['entries'] {
  const known = new Set(asked.entries);
  const listed = new Set(conversations.map(({ id }) => id));
  const last = conversations.at(-1);
  const isCovered = ({ updatedAt }: ConversationSummary) =>
    nextCursor === null || (last !== undefined && updatedAt > last.updatedAt);
  const isThere = (entry: ConversationSummary) =>
    listed.has(entry.id) || !known.has(entry) || !isCovered(entry);
  return entries.every(isThere) ? entries : entries.filter(isThere);
}

/** Whether nothing can have changed that is neither known nor on the page. */
function reachesBack({ whole, cursor }: List, { conversations }: Page): boolean {
  const last = conversations.at(-1);
  return (
    last === undefined ||
    whole === null ||
    (cursor !== undefined && last.updatedAt <= whole)
  );
}

/** The page that begins at `cursor` was read. Another one may have become the next meanwhile; then it is of no use. */
export function further(list: List, cursor: string, { conversations, nextCursor }: Page): List {
  return list.cursor === cursor
    ? withEntries({ ...list, cursor: nextCursor }, merged(list.entries, conversations))
    : list;
}

function withEntries(list: List, entries: List['entries']): List {
  if (entries.length > MOST_ENTRIES) {
    return { ...list, entries: entries.slice(0, MOST_ENTRIES), cursor: null };
  }
  return entries === list.entries ? list : { ...list, entries };
}

function merged(entries: List['entries'], news: readonly ConversationSummary[]): List['entries'] {
  return news.reduce(withSummary, entries);
}

function withSummary(entries: List['entries'], summary: ConversationSummary): List['entries'] {
  const known = entries.find(({ id }) => id === summary.id);
  if (known && (known.updatedAt > summary.updatedAt || isSame(known, summary))) {
    return entries;
  }
  const rest = entries.filter((entry) => entry !== known);
  const after = rest.findIndex((entry) => isBefore(summary, entry));
  rest.splice(after < 0 ? rest.length : after, 0, summary);
  return rest;
}

function newerThan(
  entries: List['entries'],
  last: ConversationSummary | undefined,
): List['entries'] {
  return entries.filter((entry) => last === undefined || isBefore(entry, last));
}

function wholeUntil(entries: List['entries']): string {
  const newest = Date.parse(entries[0]?.updatedAt ?? '');
  return Number.isNaN(newest) ? '' : new Date(newest - LATE).toISOString();
}

/** Whether they say the same: a message is never another one, but another session may be there to answer it. */
function isSame(one: ConversationSummary, two: ConversationSummary): boolean {
  return one.lastMessage.id === two.lastMessage.id && one.sessionId === two.sessionId;
}

/** Whether the one stands before the other: it is newer. Equally new ones stand by their ids. */
function isBefore(one: ConversationSummary, two: ConversationSummary): boolean {
  return one.updatedAt === two.updatedAt ? one.id < two.id : one.updatedAt > two.updatedAt;
}
