/**
 * A conversation with a visitor, for staff: what was said, and a place to answer.
 *
 * What must stay true:
 * - What was written for one visitor never ends up with another one, and is still there when one comes back to it.
 * - A visitor who goes on by another session is the same conversation (`panel/useFollowed.ts`) if they are proven; of others
 *   each session is one of its own.
 */
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { classes } from './classes.js';
import { Composer } from './panel/Composer.js';
import { MessageLog } from './panel/MessageLog.js';
import { type ConversationPanelTexts, ENGLISH } from './panel/texts.js';
import { useFollowed } from './panel/useFollowed.js';
import { type KnownVisitor, VisitorHead } from './panel/VisitorHead.js';
import { ownerOf, visitorName } from './people.js';

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
  /**
   * An unproven visitor is by now in another conversation, that of the session in `visitor`: it is to be shown instead. Without
   * this it is only said.
   */
  onFollow?: ((sessionId: string) => void) | undefined;
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
  const { tenantId, sessionId, visitor, isAway = false, onFollow, onClose, autoFocus = true } = props;
  const text = { ...ENGLISH, ...props.texts };
  const owner = ownerOf(visitor?.userId, sessionId);
  const elsewhere = owner === sessionId && !isAway && visitor?.sessionId !== sessionId ? visitor?.sessionId : undefined;
  const { messages, isLoading, error, isConnected, send, retry, loadHistory } = useFollowed(
    tenantId,
    owner,
    sessionId,
  );
  const drafts = useRef(new Map<string, string>());
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (autoFocus) {
      input.current?.focus({ preventScroll: true });
    }
  }, [owner, autoFocus]);

  const name = visitor ? visitorName(visitor.userId, text.visitor) : text.title;
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
              <bdi>{name}</bdi> {text.away}
            </strong>{' '}
            {text.awayHint}
          </p>
        )}
        {elsewhere && (
          <div className="acw-notice" role="status">
            <p>{text.elsewhere}</p>
            {onFollow && (
              <button type="button" className="acw-button" onClick={() => onFollow(elsewhere)}>
                {text.follow}
              </button>
            )}
          </div>
        )}
        {error && (
          <div className="acw-problem" role="alert">
            <p>{text.problem(error)}</p>
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
        messages={messages}
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
