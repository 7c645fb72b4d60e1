/**
 * What has been read on this screen. Pure.
 *
 * What was there when the list was first seen counts as read; later words are unread until their conversation is selected.
 * The same arguments give the very same value back.
 */
import type { ConversationSummary } from '../shared.js';

type Said = Pick<ConversationSummary, 'id' | 'updatedAt' | 'lastMessage'>;

/** Up to when each conversation has been read, as the server's times. */
export interface Marks {
  readonly upTo: ReadonlyMap<string, string>;
  /** What is older than the newest word at first sight has been read: it only was not loaded. Null: nothing seen yet. */
  readonly since: string | null;
}

export const NOTHING_READ: Marks = { upTo: new Map(), since: null };

/** @param selected The conversation that is on the screen, and so is read as it goes on. */
export function read(before: Marks, conversations: readonly Said[], selected: string | null): Marks {
  const [newest] = conversations;
  if (!newest) {
    return before;
  }
  const since = before.since ?? newest.updatedAt;
  const open = conversations.find(({ id }) => id === selected);
  if (open && before.upTo.get(open.id) !== open.updatedAt) {
    return { since, upTo: new Map(before.upTo).set(open.id, open.updatedAt) };
  }
  return since === before.since ? before : { ...before, since };
}

/** Whether something has been said in it, by others than staff, that nobody has seen here. */
export function isUnread({ upTo, since }: Marks, { id, updatedAt, lastMessage }: Said): boolean {
  const mark = upTo.get(id) ?? since;
  return mark !== null && updatedAt > mark && lastMessage.sender !== 'agent';
}
