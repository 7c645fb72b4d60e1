/**
 * What the panel shows, as values: own messages from the moment they are written, everyone's as the
 * server tells of them, each once.
 *
 * The server's broadcast of an own message may come before or after its receipt, and from another
 * tab there is only the broadcast.
 */
import type { ChatMessage } from '../types.js';

export interface Entry {
  /** Unique here; stays the same while the entry changes. */
  readonly key: string;
  /** The server's id, once it is known. */
  readonly id: string | undefined;
  readonly text: string;
  readonly own: boolean;
  readonly state: 'sending' | 'sent' | 'failed';
}

export type Conversation = readonly Entry[];

/** More would only slow the page down; the oldest go first. */
const MOST_ENTRIES = 200;

export function written(conversation: Conversation, key: string, text: string): Conversation {
  return append(conversation, { key, id: undefined, text, own: true, state: 'sending' });
}

export function accepted(conversation: Conversation, key: string, id: string): Conversation {
  return change(conversation, key, { id, state: 'sent' });
}

export function failed(conversation: Conversation, key: string): Conversation {
  return change(conversation, key, { state: 'failed' });
}

export function sentAgain(conversation: Conversation, key: string): Conversation {
  return change(conversation, key, { state: 'sending' });
}

export function received(conversation: Conversation, message: ChatMessage): Conversation {
  if (conversation.some((entry) => entry.id === message.id)) {
    return conversation;
  }
  const own = message.sender === 'user';
  const waiting =
    own &&
    conversation.find(
      (entry) => entry.own && entry.id === undefined && entry.text === message.text,
    );
  if (waiting) {
    return accepted(conversation, waiting.key, message.id);
  }
  const { id, text } = message;
  return append(conversation, { key: id, id, text, own, state: 'sent' });
}

function append(conversation: Conversation, entry: Entry): Conversation {
  return [...conversation, entry].slice(-MOST_ENTRIES);
}

function change(conversation: Conversation, key: string, to: Partial<Entry>): Conversation {
  return conversation.map((entry) =>
    // The broadcast may have settled an entry whose receipt then got lost.
    entry.key === key && !(to.state === 'failed' && entry.state === 'sent')
      ? { ...entry, ...to }
      : entry,
  );
}
