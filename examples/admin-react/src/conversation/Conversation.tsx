/** The conversation that is open, with what is known of the visitor: now, or as it was last. */
import type { OnlineUser } from '@amoiq/chat-widget';
import { ConversationPanel, ownerOf, useOnlineUser } from '@amoiq/chat-widget/react';
import { useState } from 'react';
import type { Open } from '../Desk';
import { TEXTS } from '../Problem';

interface ConversationProps {
  tenantId: string;
  open: Open;
  /** The session by which something was said last, if anything was: the server knows it long after it has ended. */
  latest: string | undefined;
  /** Who is not listed is not there. */
  isListed: boolean;
  /** Another conversation of the same visitor is to be open. */
  onFollow: (open: Open) => void;
  onClose: () => void;
}

/** A finger that opens a conversation wants to read first; the keyboard would cover half of it. */
const CAN_POINT = window.matchMedia('(pointer: fine)').matches;

export function Conversation({ tenantId, open, latest, isListed, onFollow, onClose }: ConversationProps) {
  const { userId, sessionId } = open;
  const online = useOnlineUser(tenantId, userId);
  const visitor = useLastKnown(userId, online);
  // Who reloads or looks at another tab is there by another session; only if they are proven, in the same conversation.
  const current = online?.sessionId ?? latest ?? visitor?.sessionId ?? sessionId;
  return (
    <ConversationPanel
      tenantId={tenantId}
      sessionId={ownerOf(userId, sessionId) === sessionId ? sessionId : current}
      visitor={visitor ?? { userId }}
      isAway={isListed && online === null}
      onFollow={(other) => onFollow({ userId, sessionId: other })}
      onClose={onClose}
      autoFocus={CAN_POINT}
      texts={TEXTS}
    />
  );
}

/** The visitor, or, once they have gone, what was known of them at the end. */
function useLastKnown(userId: string, online: OnlineUser | null): OnlineUser | null {
  const [known, setKnown] = useState(online);
  if (online && online !== known) {
    setKnown(online);
  }
  const last = online ?? known;
  return last?.userId === userId ? last : null;
}
