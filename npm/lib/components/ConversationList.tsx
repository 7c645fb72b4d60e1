/**
 * The tenant's conversations, those with the newest word first, as they go on.
 *
 * - A visitor waits for an answer if the last word is theirs: that is what the server has, the same on each screen.
 * - What has been said since this browser first had the list, and was not selected, is unread: that is the browser's own.
 */
import { useRef } from 'react';
import { useConversations } from '../hooks/useConversations.js';
import type { ChatError, ConversationSummary } from '../shared.js';
import { classes } from './classes.js';
import { useAtNow } from './clock.js';
import { visitorName } from './people.js';
import { ago } from './times.js';
import { isUnread } from './unread.js';
import { useReadMarks } from './useReadMarks.js';
import { VisitorAvatar } from './VisitorAvatar.js';

/** The words of the list. */
export interface ConversationListTexts {
  /** What the list is called. */
  title: string;
  /** What a visitor without a name is called; the beginning of their id follows. */
  visitor: string;
  /** Before the last words, if the shop's staff said them. */
  agent: string;
  /** Before the last words, if a program said them. */
  bot: string;
  /** The visitor waits for an answer. */
  waiting: string;
  /** Something in it has not been read here. */
  unread: string;
  /** Before there is a list. */
  loading: string;
  /** There are no conversations. */
  empty: string;
  /** An old server, which has no such list. */
  unavailable: string;
  /** What went wrong, by its `code`. Default: what the error says, in English. */
  problem: (error: ChatError) => string;
  /** Reads the list once more, after a failure. */
  retry: string;
  /** Reads older ones. */
  more: string;
}

/** Whose conversations, and what happens with them. */
export interface ConversationListProps {
  /** Whose conversations; null while it is not known. */
  tenantId: string | null;
  /** `id` of the conversation that is being read. */
  selected?: string | null | undefined;
  /** One of them is to be read. */
  onSelect: (conversation: ConversationSummary) => void;
  /** Other words than the English ones. */
  texts?: Partial<ConversationListTexts> | undefined;
  /** The language of times. Default: the reader's. */
  locale?: string | undefined;
  /** A further class. */
  className?: string | undefined;
}

/** The tenant's conversations, newest first: who, the last words, and whether an answer is waited for. */
export function ConversationList(props: ConversationListProps) {
  const { tenantId, selected = null, onSelect, locale, className } = props;
  const text = { ...ENGLISH, ...props.texts };
  const { conversations, isLoading, error, hasMore, refresh, loadMore } = useConversations(tenantId);
  const isUnavailable = error?.code === 'NOT_FOUND';
  const isKnown = conversations.length > 0 || (!isLoading && !error);
  const marks = useReadMarks(tenantId, isKnown ? conversations : null, selected);
  const list = useRef<HTMLUListElement>(null);
  const more = useRef<HTMLButtonElement>(null);
  const showMore = async () => {
    await loadMore();
    // With the last of them the button goes: whoever was at it is at what it has brought.
    if (!more.current) {
      list.current?.children[conversations.length]?.querySelector('button')?.focus();
    }
  };
  return (
    <section
      className={classes('acw-conversations', className)}
      aria-label={text.title}
      aria-busy={isLoading}
    >
      {error && (
        <div className="acw-problem" role="alert">
          <p>{isUnavailable ? text.unavailable : text.problem(error)}</p>
          {!isUnavailable && (
            <button type="button" className="acw-button" onClick={refresh}>
              {text.retry}
            </button>
          )}
        </div>
      )}
      {conversations.length === 0 && !error && (
        <p className="acw-empty">{isLoading ? text.loading : text.empty}</p>
      )}
      <ul ref={list} className="acw-conversation-list">
        {conversations.map((conversation) => (
          <li key={conversation.id}>
            <Entry
              conversation={conversation}
              isSelected={conversation.id === selected}
              isUnread={isUnread(marks, conversation)}
              onSelect={onSelect}
              text={text}
              locale={locale}
            />
          </li>
        ))}
      </ul>
      {hasMore && (
        <button
          ref={more}
          type="button"
          className="acw-button acw-more"
          disabled={isLoading}
          onClick={showMore}
        >
          {text.more}
        </button>
      )}
    </section>
  );
}

interface EntryProps extends Pick<ConversationListProps, 'onSelect' | 'locale'> {
  conversation: ConversationSummary;
  isSelected: boolean;
  isUnread: boolean;
  text: ConversationListTexts;
}

function Entry({ conversation, isSelected, isUnread, onSelect, text, locale }: EntryProps) {
  const { userId, updatedAt, lastMessage } = conversation;
  const at = Date.parse(updatedAt);
  const when = useAtNow((now) => (Number.isNaN(at) ? '' : ago(at, now, locale)));
  const isWaiting = lastMessage.sender === 'user';
  return (
    <button
      type="button"
      className="acw-conversation"
      data-waiting={isWaiting}
      data-unread={isUnread}
      aria-current={isSelected || undefined}
      onClick={() => onSelect(conversation)}
    >
      <VisitorAvatar userId={userId} />{' '}
      <span className="acw-name" dir="auto">
        {visitorName(userId, text.visitor)}
      </span>{' '}
      {when && (
        <time className="acw-when" dateTime={updatedAt}>
          {when}
        </time>
      )}{' '}
      <span className="acw-words" dir="auto">
        {lastMessage.sender !== 'user' && <span>{text[lastMessage.sender]}: </span>}
        {lastMessage.text}
      </span>{' '}
      {isWaiting && <span className="acw-waiting">{text.waiting}</span>}{' '}
      {isUnread && <span className="acw-visually-hidden">{text.unread}</span>}
    </button>
  );
}

const ENGLISH: ConversationListTexts = {
  title: 'Conversations',
  visitor: 'Visitor',
  agent: 'Staff',
  bot: 'Bot',
  waiting: 'Waiting',
  unread: 'Unread',
  loading: 'Loading…',
  empty: 'No conversations yet.',
  unavailable: 'This server keeps no list of conversations.',
  problem: ({ message }) => message,
  retry: 'Try again',
  more: 'Show more',
};
