/**
 * Which row the keyboard is at. Pure.
 *
 * The cursor is a user's: it goes with them wherever they are sorted to. While the row it was moved to is not loaded yet it is
 * a place, and whoever turns out to be there gets it.
 */
import type { OnlineUser } from '@amoiq/chat-widget';

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
