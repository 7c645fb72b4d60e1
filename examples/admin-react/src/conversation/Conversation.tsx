/** The conversation that is open, with what is known of the visitor: now, or as it was last. */
import type { OnlineUser } from '@amoiq/chat-widget';
import { ConversationPanel, useOnlineUser } from '@amoiq/chat-widget/react';
import { useState } from 'react';
import type { Open } from '../Desk';

interface ConversationProps {
  tenantId: string;
  open: Open;
  /** Who is not listed is not there. */
  isListed: boolean;
  onClose: () => void;
}

/** A finger that opens a conversation wants to read first; the keyboard would cover half of it. */
const CAN_POINT = window.matchMedia('(pointer: fine)').matches;

export function Conversation({ tenantId, open, isListed, onClose }: ConversationProps) {
  const { userId, sessionId, isPast } = open;
  const online = useOnlineUser(tenantId, userId);
  const visitor = useLastKnown(userId, online);
  return (
    <ConversationPanel
      tenantId={tenantId}
      // Who reloads or looks at another tab is there by another session.
      sessionId={(!isPast && visitor?.sessionId) || sessionId}
      visitor={visitor ?? { userId }}
      isAway={isListed && online === null}
      onClose={onClose}
      autoFocus={CAN_POINT}
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
