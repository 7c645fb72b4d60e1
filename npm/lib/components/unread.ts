/**
 * What has been read in this browser. Pure.
 *
 * - What was there when the list was first seen counts as read; later words are unread until their conversation is selected.
 * - What has been read in any of several tabs has been read. No mark goes back to an earlier time.
 * - The same arguments give the very same value back.
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

/** Of more conversations nothing is kept. What is older than all of those has been read. */
const MOST_KEPT = 500;

/**
 * @param conversations Null as long as there is no list.
 * @param selected The conversation that is on the screen, and so is read as it goes on.
 */
export function read(
  before: Marks,
  conversations: readonly Said[] | null,
  selected: string | null,
): Marks {
  if (!conversations) {
    return before;
  }
  // Before everything, where nothing had been said: whoever is the first to speak is news.
  const since = before.since ?? conversations[0]?.updatedAt ?? '';
  const open = conversations.find(({ id }) => id === selected);
  if (open && (before.upTo.get(open.id) ?? '') < open.updatedAt) {
    return { since, upTo: new Map(before.upTo).set(open.id, open.updatedAt) };
  }
  return since === before.since ? before : { ...before, since };
}

/** Whether something has been said in it, by others than staff, that nobody has seen here. */
export function isUnread({ upTo, since }: Marks, { id, updatedAt, lastMessage }: Said): boolean {
  const mark = upTo.get(id) ?? since;
  return mark !== null && updatedAt > mark && lastMessage.sender !== 'agent';
}

/** What has been read here or there. */
export function together(here: Marks, there: Marks): Marks {
  const news = [...there.upTo].filter(([id, at]) => (here.upTo.get(id) ?? '') < at);
  const since = later(here.since, there.since);
  return news.length === 0 && since === here.since
    ? here
    : { since, upTo: new Map([...here.upTo, ...news]) };
}

/** As the browser keeps it. */
export function written({ since, upTo }: Marks): string {
  const newest = [...upTo].sort(([, one], [, other]) => (one < other ? 1 : -1));
  const forgotten = newest[MOST_KEPT]?.[1] ?? null;
  return JSON.stringify({ since: later(since, forgotten), upTo: newest.slice(0, MOST_KEPT) });
}

/** What was kept; nothing read if it is not to be understood. */
export function understood(text: string | null): Marks {
  try {
    const { since, upTo } = JSON.parse(text ?? '') as Record<keyof Marks, unknown>;
    return typeof since === 'string' && Array.isArray(upTo)
      ? { since, upTo: new Map(upTo.filter(isMark)) }
      : NOTHING_READ;
  } catch {
    return NOTHING_READ;
  }
}

function isMark(value: unknown): value is [string, string] {
  return Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'string';
}

function later(one: string | null, other: string | null): string | null {
  return one === null || (other !== null && other > one) ? other : one;
}
