/**
 * Which row the keyboard is at. Pure.
 *
 * The cursor is a user's: it goes with them, as far as the list is loaded. When they are gone from among their neighbours, whoever
 * was next has it, or who was before. While the row it was moved to is not loaded yet it is a place, and whoever turns out to be
 * there gets it.
 */
import type { OnlineUser, OnlineUsersQuery } from '@amoiq/chat-widget';

export interface Cursor {
  readonly index: number;
  /** Null while nobody is known to be there. */
  readonly userId: string | null;
}

/** A part of the list. */
export interface Part {
  readonly users: readonly OnlineUser[];
  readonly offset: number;
}

/** A part of a list of which it is known how long it is. */
export interface PartOf extends Part {
  readonly total: number;
}

/** The cursor, and the list as it was looked at last. */
export interface Kept {
  readonly cursor: Cursor | null;
  readonly part: PartOf;
  readonly query: OnlineUsersQuery;
  /** The rows of another query are on their way. In another list nobody stands where they stood, and nobody has left. */
  readonly isAnother: boolean;
}

/** Where a key leads to, or nothing if it is none of ours. */
export function target(
  key: string,
  cursor: Cursor | null,
  { total, page }: { total: number; page: number },
): number | undefined {
  const at = cursor?.index ?? -1;
  const to = {
    ArrowDown: at + 1,
    ArrowUp: at < 0 ? 0 : at - 1,
    PageDown: at + page,
    PageUp: at - page,
    Home: 0,
    End: total - 1,
  }[key];
  return to === undefined || total === 0 ? undefined : Math.min(Math.max(to, 0), total - 1);
}

/** The cursor at a place, or at whoever is there. */
export function placed(index: number, part: Part): Cursor {
  return { index, userId: part.users[index - part.offset]?.userId ?? null };
}

/** The cursor after the list has changed: the same one if there is nothing new to know. */
export function followed(cursor: Cursor | null, part: Part): Cursor | null {
  if (!cursor) {
    return cursor;
  }
  if (cursor.userId === null) {
    const here = placed(cursor.index, part);
    return here.userId === null ? cursor : here;
  }
  const at = part.users.findIndex(({ userId }) => userId === cursor.userId);
  return at < 0 || part.offset + at === cursor.index ? cursor : { ...cursor, index: part.offset + at };
}

/** What is kept after a look at the list: the same if there is nothing new. */
export function kept(before: Kept, part: PartOf, query: OnlineUsersQuery): Kept {
  if (part === before.part && query === before.query) {
    return before;
  }
  const isAnother = before.isAnother || query !== before.query;
  const cursor = followed(before.cursor, part);
  return part.users === before.part.users
    ? { cursor, part, query, isAnother }
    : { cursor: isAnother ? cursor : inherited(cursor, before.part, part), part, query, isAnother: false };
}

/** The cursor after its user may have gone: the same one if they may still be where nothing is loaded. */
export function inherited(cursor: Cursor | null, before: Part, after: PartOf): Cursor | null {
  const at = before.users.findIndex(({ userId }) => userId === cursor?.userId);
  const places = new Map(after.users.map(({ userId }, index) => [userId, after.offset + index]));
  if (!cursor?.userId || at < 0 || places.has(cursor.userId)) {
    return cursor;
  }
  const firstOf = (users: readonly OnlineUser[]) =>
    users.map(({ userId }) => places.get(userId)).find((place) => place !== undefined);
  const previous = firstOf(before.users.slice(0, at).reverse());
  const next = firstOf(before.users.slice(at + 1));
  const isBegun = previous !== undefined || after.offset === 0;
  const isEnded = next !== undefined || after.offset + after.users.length === after.total;
  if (!isBegun || !isEnded) {
    return cursor;
  }
  const heir = next ?? previous;
  return heir === undefined ? null : placed(heir, after);
}
