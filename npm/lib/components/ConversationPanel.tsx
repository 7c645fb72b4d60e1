/**
 * A conversation with a visitor, for staff: what was said, and a place to answer.
 *
 * What must stay true:
 * - What was written for one visitor never ends up with another one, and is still there when one comes back to it.
 * - A visitor who goes on by another session keeps their place on the screen: what was said stays until it has been read anew.
 */
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useConversation } from '../hooks/useConversation.js';
import type { ConversationMessage } from '../shared.js';
import { classes } from './classes.js';
import { Composer } from './panel/Composer.js';
import { MessageLog } from './panel/MessageLog.js';
import { type ConversationPanelTexts, ENGLISH } from './panel/texts.js';
import { type KnownVisitor, VisitorHead } from './panel/VisitorHead.js';
import { visitorName } from './people.js';

export type { ConversationPanelTexts } from './panel/texts.js';
export type { KnownVisitor } from './panel/VisitorHead.js';

/** Which conversation, and how it is shown. */
export interface ConversationPanelProps {
  /** Whose staff speaks. */
  tenantId: string;
  /** The session whose conversation it is. */
  sessionId: string;
  /** Whom it is with, as far as that is known: it stands above the conversation. */
  visitor?: KnownVisitor | undefined;
  /** The visitor is not on the site any more. Default: false. */
  isAway?: boolean | undefined;
  /** The panel is to be closed: by its button, which is there only with this, or by Escape. */
  onClose?: (() => void) | undefined;
  /** Whether one can write at once, here and whenever it is another visitor's. Default: true. */
  autoFocus?: boolean | undefined;
  /** Other words than the English ones. */
  texts?: Partial<ConversationPanelTexts> | undefined;
  /** The language of times. Default: the reader's. */
  locale?: string | undefined;
  /** A further class. */
  className?: string | undefined;
}

/** A conversation: its messages, and a place to answer. */
export function ConversationPanel(props: ConversationPanelProps) {
  const { tenantId, sessionId, visitor, isAway = false, onClose, autoFocus = true } = props;
  const text = { ...ENGLISH, ...props.texts };
  const owner = visitor?.userId ?? sessionId;
  const { messages, isLoading, error, isConnected, send, retry, loadHistory } = useConversation(
    tenantId,
    { sessionId },
  );
  const drafts = useRef(new Map<string, string>());
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (autoFocus) {
      input.current?.focus({ preventScroll: true });
    }
  }, [owner, autoFocus]);

  const name = visitor ? visitorName(visitor.userId, text.visitor) : text.title;
  const shown = useSteady(owner, messages, isLoading);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && onClose && !event.nativeEvent.isComposing) {
      event.stopPropagation();
      onClose();
    }
  };
  return (
    <section className={classes('acw-panel', props.className)} aria-label={name} onKeyDown={onKeyDown}>
      <VisitorHead visitor={visitor} name={name} isAway={isAway} onClose={onClose} text={text} />
      <div className="acw-notices">
        {isAway && (
          <p className="acw-notice" role="status">
            <strong>
              {name} {text.away}
            </strong>{' '}
            {text.awayHint}
          </p>
        )}
        {error && (
          <div className="acw-problem" role="alert">
            <p>{error.message}</p>
            <button type="button" className="acw-button" onClick={loadHistory}>
              {text.retry}
            </button>
          </div>
        )}
        {!isConnected && !isLoading && !error && (
          <p className="acw-notice" role="status">
            {text.connecting}
          </p>
        )}
      </div>
      <MessageLog
        key={`log ${owner}`}
        messages={shown}
        isLoading={isLoading}
        retry={retry}
        visitor={visitor ? name : text.visitor}
        text={text}
        locale={props.locale}
      />
      <Composer
        key={`composer ${owner}`}
        draft={drafts.current.get(owner) ?? ''}
        keep={(draft) => drafts.current.set(owner, draft)}
        send={send}
        input={input}
        text={text}
      />
    </section>
  );
}

/** The messages, or those of before while the same visitor's are being read again by another session. */
function useSteady(
  owner: string,
  messages: readonly ConversationMessage[],
  isLoading: boolean,
): readonly ConversationMessage[] {
  const [held, setHeld] = useState({ owner, messages });
  const isSettled = messages.length > 0 || !isLoading || held.owner !== owner;
  if (isSettled && (held.owner !== owner || held.messages !== messages)) {
    setHeld({ owner, messages });
  }
  return isSettled ? messages : held.messages;
}
