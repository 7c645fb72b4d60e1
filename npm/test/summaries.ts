/** Conversations as servers sum them up. */
import type { ConversationSummary } from '../lib/types.js';

export const START = Date.parse('2024-01-15T10:00:00.000Z');

/** Of conversation `id`, in which something was said so many seconds after the start. */
export function summary(id: string, seconds: number, text = `${id} at ${seconds}`): ConversationSummary {
  const timestamp = new Date(START + seconds * 1000).toISOString();
  const said = { id: `m-${id}-${seconds}`, text, sender: 'user', timestamp } as const;
  const sessionId = `s-${id}`;
  return { id, sessionId, userId: `u-${id}`, updatedAt: timestamp, lastMessage: said };
}
