/** The words of a conversation's panel. */
import type { ChatError } from '../../shared.js';

/** What a page may say in its own words. */
export interface ConversationPanelTexts {
  /** What the panel is called where nobody is known to be in it. */
  title: string;
  /** What a visitor without a name is called; the beginning of their id follows. */
  visitor: string;
  /** Who speaks for the shop. */
  agent: string;
  /** A program that speaks for the shop. */
  bot: string;
  /** Closes the panel. */
  close: string;
  /** Before the messages so far have been read. */
  loading: string;
  /** Nobody has said anything yet. */
  empty: string;
  /** What one may do then. */
  emptyHint: string;
  /** What the field is for. */
  placeholder: string;
  /** Sends what is written. */
  send: string;
  /** A message is on its way. */
  sending: string;
  /** A message waits; a reason may follow. */
  delayed: string;
  /** A message has failed; the reason follows. */
  failed: string;
  /** What went wrong, by its `code`. Default: what the error says, in English. */
  problem: (error: ChatError) => string;
  /** Sends or reads once more. */
  retry: string;
  /** Leads to what has been said below. */
  newMessages: string;
  /** There is no connection. */
  connecting: string;
  /** The visitor has gone. */
  away: string;
  /** What that means for the conversation. */
  awayHint: string;
  /** An unproven visitor is in another conversation by now. */
  elsewhere: string;
  /** Shows that one. */
  follow: string;
  /** Before the time on the site. */
  onSite: string;
  /** The visitor has not done anything for a while; how long follows. */
  idle: string;
  /** Before the host that a link led from. */
  from: string;
  /** How often the visitor has come, if more than once. */
  visits: (count: number) => string;
}

export const ENGLISH: ConversationPanelTexts = {
  title: 'Conversation',
  visitor: 'Visitor',
  agent: 'Staff',
  bot: 'Bot',
  close: 'Close',
  loading: 'Loading the conversation…',
  empty: 'Nothing has been said yet',
  emptyHint: 'Say hello: what you write opens the chat on the visitor’s page.',
  placeholder: 'Write a message',
  send: 'Send',
  sending: 'Sending…',
  delayed: 'Not sent yet',
  failed: 'Not sent',
  problem: ({ message }) => message,
  retry: 'Try again',
  newMessages: 'New messages',
  connecting: 'Connecting. What you write waits until then.',
  away: 'has left the site.',
  awayHint: 'The conversation stays here. A visitor who is known again reads on where it ended.',
  elsewhere: 'They have opened another page since, with a conversation of its own. They may not see this one any more.',
  follow: 'Go there',
  onSite: 'On the site',
  idle: 'idle',
  from: 'from',
  visits: (count) => `${count} visits`,
};
