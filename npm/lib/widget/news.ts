/** What has happened between two looks at a conversation. What was said before the first one is no news. */
import type { ConversationMessage } from '../conversation/log.js';

export interface News {
  /** Said by others, or own ones that the server has now. */
  readonly said: readonly ConversationMessage[];
  /** Own ones that will not be sent again by themselves. */
  readonly failed: readonly ConversationMessage[];
}

export function newsBetween(
  before: readonly ConversationMessage[],
  now: readonly ConversationMessage[],
): News {
  const known = new Map(before.map(({ key, state }) => [key, state]));
  const changed = now.filter(({ key, state }) => known.get(key) !== state);
  return {
    said: changed.filter(
      ({ key, sender, state }) => state === 'delivered' && (sender === 'user' || !known.has(key)),
    ),
    failed: changed.filter(({ state }) => state === 'failed'),
  };
}
