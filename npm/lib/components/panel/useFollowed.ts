/**
 * A conversation with somebody who may go on by another session, as whoever reloads a page does.
 *
 * What must stay true:
 * - What was said stays on the screen until it has been read anew by the new session.
 * - What is under way by the old session gets there or fails before it is left, and what has failed is said by the new one:
 *   a session that has ended takes nothing that was written with it. It is said under the same name, so that the visitor hears
 *   once what got there although nobody said so.
 */
import { useEffect, useMemo, useState } from 'react';
import { useConversation, type UseConversationResult } from '../../hooks/useConversation.js';
import type { ConversationMessage } from '../../shared.js';

interface Followed {
  readonly owner: string;
  /** By which it is followed. */
  readonly sessionId: string;
  /** What the session before has not taken, or not said to have taken. */
  readonly unsaid: readonly ConversationMessage[];
}

/**
 * @param owner Whose conversation it is. Another one's is another conversation, of which nothing of this holds.
 * @param sessionId By which it goes on.
 */
export function useFollowed(tenantId: string, owner: string, sessionId: string): UseConversationResult {
  const [before, setBy] = useState<Followed>({ owner, sessionId, unsaid: [] });
  let by: Followed = before.owner === owner ? before : { owner, sessionId, unsaid: [] };
  const conversation = useConversation(tenantId, { sessionId: by.sessionId });
  const { messages, isLoading, retry } = conversation;
  if (by.sessionId !== sessionId && !messages.some(({ state }) => state === 'pending')) {
    by = { owner, sessionId, unsaid: messages.filter(({ state }) => state === 'failed') };
  }
  if (by !== before) {
    setBy(by);
  }
  useEffect(() => {
    if (by.unsaid.length > 0) {
      by.unsaid.forEach(({ clientId, text }) => clientId && retry(clientId, text));
      setBy({ ...by, unsaid: [] });
    }
  }, [by]);
  return { ...conversation, messages: useSteady(owner, messages, isLoading) };
}

/** The messages, and while the same ones are being read again by another session, those of before. */
function useSteady(
  owner: string,
  messages: readonly ConversationMessage[],
  isLoading: boolean,
): readonly ConversationMessage[] {
  const [held, setHeld] = useState({ owner, messages });
  const isSettled = !isLoading || held.owner !== owner;
  if (isSettled && (held.owner !== owner || held.messages !== messages)) {
    setHeld({ owner, messages });
  }
  return useMemo(
    () => (isSettled ? messages : together(held.messages, messages)),
    [isSettled, messages, held],
  );
}

function together(
  before: readonly ConversationMessage[],
  messages: readonly ConversationMessage[],
): readonly ConversationMessage[] {
  const ids = new Set(messages.map(({ id }) => id));
  return [...before.filter(({ id, state }) => state === 'delivered' && !ids.has(id)), ...messages];
}
