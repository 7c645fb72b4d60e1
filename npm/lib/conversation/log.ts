/**
 * A conversation as a value: own messages from the moment they are written, everybody's as the server
 * tells of them, each once.
 *
 * What must stay true:
 * - Whatever is told, acknowledged or read in a history, in whichever order and however often, the same
 *   messages come of it; what changes nothing gives the very same value back.
 * - What the server has stands in the order of its time, and of arrival where that is equal. What is still under way
 *   or has failed stands behind it, in the order in which it was written.
 * - A message that the server has once confirmed never fails.
 *
 * A server that knows names (`clientId`) is told apart from one that does not by what it tells of own
 * messages: from the latter an own message is known by the id in its acknowledgement, and, as long as there is
 * none, by its text.
 */
import type { ChatError } from '../errors.js';
import type { ChatMessage, MessageReceipt } from '../types.js';

/** One message of a conversation. */
export interface ConversationMessage {
  /** Unique in its conversation; stays the same while the message changes. */
  readonly key: string;
  /** The server's id; null while it is not known. */
  readonly id: string | null;
  /** The sender's name for it, where it is known: what `retry` takes. */
  readonly clientId: string | null;
  /** What was said. Text, not markup. */
  readonly text: string;
  /** Who said it: the visitor, someone of the staff, or a program. */
  readonly sender: ChatMessage['sender'];
  /** The server's time, ISO-8601; null while it is not known. */
  readonly timestamp: string | null;
  /** `pending`: under way or waiting for the connection. `failed`: it is not sent again by itself. */
  readonly state: 'pending' | 'delivered' | 'failed';
  /** Why it failed, or why a pending one has not been delivered yet. */
  readonly error: ChatError | null;
  /** As it came from the server, with all its fields; null while it has not. */
  readonly message: ChatMessage | null;
}

/** With what only this module and the queue look at. */
export interface Entry extends ConversationMessage {
  /** Milliseconds since the epoch, by which it is ordered. */
  readonly at: number;
  /** How often it has been handed to the connection. */
  readonly tries: number;
  /** What it was before a message of the same text was taken for it; null where there is no such doubt. */
  readonly before: Pick<Entry, 'state' | 'error'> | null;
}

export interface Log {
  /** First what the server has, then the rest. */
  readonly entries: readonly Entry[];
  /** Whether the server repeats the names of own messages, once it is known. */
  readonly names: boolean | undefined;
}

export const EMPTY: Log = { entries: [], names: undefined };

/** More would only slow the page down; the oldest go first. */
export const MOST_ENTRIES = 1000;

/** An own message of which the server knows nothing yet. */
export function ownEntry(
  clientId: string,
  text: string,
  sender: ChatMessage['sender'],
  tries = 0,
): Entry {
  return {
    key: clientId,
    id: null,
    clientId,
    text,
    sender,
    timestamp: null,
    state: 'pending',
    error: null,
    message: null,
    at: 0,
    tries,
    before: null,
  };
}

/** An own message has been written, and perhaps tried by another session. */
export function written(
  log: Log,
  clientId: string,
  text: string,
  sender: ChatMessage['sender'],
  tries?: number,
): Log {
  return { ...log, entries: bounded([...log.entries, ownEntry(clientId, text, sender, tries)]) };
}

/** It is handed to the connection now. */
export function tried(log: Log, clientId: string): Log {
  return change(log, clientId, 'pending', ({ tries }) => ({ tries: tries + 1 }));
}

/** It was not delivered, and will be tried again. */
export function delayed(log: Log, clientId: string, error: ChatError): Log {
  return change(log, clientId, 'pending', () => ({ error }));
}

/** It was not delivered, and will not be tried again by itself. */
export function failed(log: Log, clientId: string, error: ChatError): Log {
  return change(log, clientId, 'pending', () => ({ state: 'failed', error }));
}

/** It is to be tried again after all. */
export function again(log: Log, clientId: string): Log {
  return change(log, clientId, 'failed', () => ({ state: 'pending', error: null }));
}

/** Whatever waits may have been sent by another page. */
export function doubted(log: Log): Log {
  return log.entries
    .filter(({ state, tries }) => state === 'pending' && tries === 0)
    .reduce((doubtful, { key }) => tried(doubtful, key), log);
}

/** What the server has. */
export function deliveredOnly(log: Log): Log {
  const end = endOfDelivered(log);
  return end === log.entries.length ? log : { ...log, entries: log.entries.slice(0, end) };
}

/** The server has accepted an own message. */
export function acknowledged(log: Log, clientId: string, receipt: Partial<MessageReceipt>): Log {
  const entry = own(log, clientId);
  const id = receipt.messageId ?? entry?.id ?? null;
  if (!entry || (entry.state === 'delivered' && entry.id === id)) {
    return log;
  }
  return identified(log, entry, id, receipt.timestamp, null);
}

/** An own message is surely the one of that id. */
function identified(
  log: Log,
  entry: Entry,
  id: string | null,
  timestamp: string | undefined,
  message: ChatMessage | null,
): Log {
  const settled = settle(freed(log, id, entry), entry, id, timestamp, message);
  // Another message of the same text had been taken for this one.
  return entry.message && entry.id !== id ? merge(settled, entry.message) : settled;
}

/** If the message of that id was taken for an own one by its text and is another's, that one is what it was before. */
function freed(log: Log, id: string | null, rightful: Entry): Log {
  const taken = log.entries.find((entry) => entry !== rightful && entry.id === id);
  if (!taken?.before) {
    return log;
  }
  const { state, error } = taken.before;
  const free = { ...taken, state, error, id: null, timestamp: null, message: null, before: null };
  const rest = { ...log, entries: log.entries.filter((entry) => entry !== taken) };
  if (state === 'delivered') {
    return insert(rest, free);
  }
  const end = endOfDelivered(rest);
  return { ...log, entries: [...rest.entries.slice(0, end), free, ...rest.entries.slice(end)] };
}

/** The server tells of a message as it is said. */
export function told(log: Log, message: ChatMessage): Log {
  const sure = find(log, message);
  const likely = sure ? undefined : unacknowledged(log, message);
  const merged = likely
    ? settle(log, likely, message.id, message.timestamp, message, likely)
    : merge(log, message, sure);
  const mine = (sure ?? likely)?.tries;
  const names = mine || nameOf(message) !== null ? nameOf(message) !== null : log.names;
  return names === merged.names ? merged : { ...merged, names };
}

/** The server's messages so far. */
export function remembered(log: Log, messages: readonly ChatMessage[]): Log {
  return messages.reduce((merged, message) => merge(merged, message), log);
}

function merge(log: Log, message: ChatMessage, known = find(log, message)): Log {
  if (known) {
    return known.message && known.id === message.id
      ? log
      : identified(log, known, message.id, message.timestamp, message);
  }
  const entry: Entry = {
    key: message.id,
    id: message.id,
    clientId: nameOf(message),
    text: message.text,
    sender: message.sender,
    timestamp: message.timestamp,
    state: 'delivered',
    error: null,
    message,
    at: 0,
    tries: 0,
    before: null,
  };
  return insert(log, entry);
}

/**
 * The entry that is this message already. A name says so only of one whose id is not known for sure: whoever hears a
 * name may give it to a message of their own.
 */
function find(log: Log, message: ChatMessage): Entry | undefined {
  const named = own(log, nameOf(message) ?? '');
  return named && named.sender === message.sender && (named.id === null || named.before)
    ? named
    : log.entries.find(({ id }) => id === message.id);
}

/** The oldest own message that may be this one, as far as one can see. */
function unacknowledged(log: Log, message: ChatMessage): Entry | undefined {
  return log.names || nameOf(message) !== null
    ? undefined
    : log.entries.find(
        ({ id, tries, sender, text }) =>
          id === null && tries > 0 && sender === message.sender && text === message.text,
      );
}

/** What is now known of an entry; it moves to its place in time. */
function settle(
  log: Log,
  entry: Entry,
  id: string | null,
  timestamp: string | undefined,
  message: ChatMessage | null,
  before: Entry['before'] = null,
): Log {
  const rest = log.entries.filter((other) => other !== entry && (id === null || other.id !== id));
  // Known by its id before it was known to be this one.
  const twin = log.entries.find((other) => other !== entry && id !== null && other.id === id);
  const whole = message ?? twin?.message ?? null;
  return insert(
    { ...log, entries: rest },
    {
      ...entry,
      id,
      timestamp: whole?.timestamp ?? timestamp ?? entry.timestamp,
      state: 'delivered',
      error: null,
      message: whole,
      before: before && { state: before.state, error: before.error },
    },
  );
}

function insert(log: Log, entry: Entry): Log {
  const end = endOfDelivered(log);
  const parsed = Date.parse(entry.timestamp ?? '');
  // What has no time that can be read stands where it has come.
  const at = Number.isNaN(parsed) ? (log.entries[end - 1]?.at ?? 0) : parsed;
  let place = end;
  while (place > 0 && (log.entries[place - 1]?.at ?? 0) > at) {
    place -= 1;
  }
  if (place === 0 && log.entries.length >= MOST_ENTRIES) {
    return log;
  }
  const entries = [...log.entries];
  entries.splice(place, 0, { ...entry, at });
  return { ...log, entries: bounded(entries) };
}

function endOfDelivered({ entries }: Pick<Log, 'entries'>): number {
  const waiting = entries.findIndex(({ state }) => state !== 'delivered');
  return waiting < 0 ? entries.length : waiting;
}

/** What the server does not have yet stays, however much it is. */
function bounded(entries: readonly Entry[]): readonly Entry[] {
  const dropped = Math.min(entries.length - MOST_ENTRIES, endOfDelivered({ entries }));
  return dropped > 0 ? entries.slice(dropped) : entries;
}

/** Changes an own message that is in that state. */
function change(
  log: Log,
  clientId: string,
  state: Entry['state'],
  to: (entry: Entry) => Partial<Entry>,
): Log {
  const before = own(log, clientId);
  if (before?.state !== state) {
    return log;
  }
  const after = { ...before, ...to(before) };
  return { ...log, entries: log.entries.map((entry) => (entry === before ? after : entry)) };
}

/** The message that was written here under this name. Others may have used the name, too. */
export function own(log: Log, clientId: string): Entry | undefined {
  return log.entries.find(({ key }) => key === clientId);
}

function nameOf({ clientId }: ChatMessage): string | null {
  return typeof clientId === 'string' ? clientId : null;
}
