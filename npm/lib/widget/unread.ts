/**
 * How far a visitor has read, as a value that all tabs share: what one has read, all have.
 *
 * - Two marks of one visitor merge to the later one, whatever the order; so does a mark with itself.
 * - What was said before anybody ever had a mark is no news.
 * - A mark is of one visitor: what another one has left says nothing.
 */
import type { ConversationMessage } from '../conversation/log.js';

export interface Mark {
  /** Whose it is, as far as the server has said so. */
  readonly user: string | null;
  /** Everything up to this time has been read, in milliseconds since the epoch; null: nothing is known yet. */
  readonly read: number | null;
  /** Up to this time nobody wants to be reminded. */
  readonly dismissed: number;
  /** How many were unread when that was last known: for the page that has not asked yet. */
  readonly count: number;
}

export const NO_MARK: Mark = { user: null, read: null, dismissed: 0, count: 0 };

/** From what a tab has kept; whatever is no mark is none. */
export function parseMark(text: string): Mark {
  try {
    const { user, read, dismissed, count } = JSON.parse(text || '{}') as Partial<Record<keyof Mark, unknown>>;
    return {
      user: typeof user === 'string' ? user : null,
      read: numberOr(read, null),
      dismissed: numberOr(dismissed, 0),
      count: numberOr(count, 0),
    };
  } catch {
    return NO_MARK;
  }
}

const numberOr = <T>(value: unknown, otherwise: T) =>
  typeof value === 'number' && Number.isFinite(value) ? value : otherwise;

/** What it is once the messages so far are known. */
export function settled(mark: Mark, messages: readonly ConversationMessage[]): Mark {
  // Messages name who has said them.
  const named = messages.filter(({ sender, message }) => sender === 'user' && message?.userId);
  const user = named.at(-1)?.message?.userId ?? mark.user;
  const own = mark.user === null || user === mark.user ? mark : NO_MARK;
  const read = own.read ?? (messages.length > 0 ? latest(messages) : 0);
  return counted({ ...own, user, read }, messages);
}

/** Everything so far has been read. */
export function readAll(mark: Mark, messages: readonly ConversationMessage[]): Mark {
  return counted({ ...mark, read: Math.max(mark.read ?? 0, latest(messages)) }, messages);
}

/** Nobody wants to be reminded of what there is so far. */
export function dismissed(mark: Mark, messages: readonly ConversationMessage[]): Mark {
  const next = Math.max(mark.dismissed, latest(messages));
  return next === mark.dismissed ? mark : { ...mark, dismissed: next };
}

/** With what another tab knows. */
export function merged(mine: Mark, other: Mark): Mark {
  if (mine.user !== null && other.user !== null && mine.user !== other.user) {
    return mine;
  }
  const read = Math.max(mine.read ?? -1, other.read ?? -1);
  const next = {
    user: mine.user ?? other.user,
    read: read < 0 ? null : read,
    dismissed: Math.max(mine.dismissed, other.dismissed),
    count: read > (mine.read ?? -1) ? other.count : mine.count,
  };
  return isSame(next, mine) ? mine : next;
}

/** What others have said since. */
export function unread(
  { read }: Mark,
  messages: readonly ConversationMessage[],
): readonly ConversationMessage[] {
  return messages.filter((message) => message.sender !== 'user' && timeOf(message) > (read ?? Infinity));
}

/** The latest of these that a visitor may be reminded of. */
export function reminder(
  mark: Mark,
  messages: readonly ConversationMessage[],
): ConversationMessage | undefined {
  const last = unread(mark, messages).at(-1);
  return last && timeOf(last) > mark.dismissed ? last : undefined;
}

function counted(mark: Mark, messages: readonly ConversationMessage[]): Mark {
  return { ...mark, count: unread(mark, messages).length };
}

export function isSame(one: Mark, other: Mark): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

const latest = (messages: readonly ConversationMessage[]) =>
  messages.reduce((most, message) => Math.max(most, timeOf(message)), 0);

const timeOf = ({ timestamp }: ConversationMessage) => Date.parse(timestamp ?? '') || 0;
