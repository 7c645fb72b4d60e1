/**
 * Own messages that the server does not have yet, kept while the tab lives: for a page that is loaded anew, and for the
 * site's next one.
 *
 * What must stay true: they are given back only to whom they are from. Two pages may hold the same ones, as a tab that was
 * duplicated does; both send them under the same names, and the server takes each once.
 */
import { ChatError, fail } from '../errors.js';
import { type Entry, type Log, ownEntry } from './log.js';

/** As little of a message as it takes to go on with it. */
interface Kept {
  readonly clientId: string;
  readonly text: string;
  /** Whether it has been handed to a connection. */
  readonly isTried: boolean;
  /** Why it has failed, if it has. */
  readonly error?: { readonly code: string; readonly message: string };
}

export interface Unsent {
  readonly whose: string;
  /** What was known of the server, see `Log`. */
  readonly names?: boolean | undefined;
  readonly messages: readonly Kept[];
}

/** The first ones are kept, since they are sent first. Storage has 5 MB for the whole site. */
export const MOST_KEPT = 50;
export const MOST_CHARACTERS = 64 * 1024;

/** What says who it is. */
interface Credentials {
  readonly token?: string;
  readonly visitorId?: string;
}

/** Whose messages those are that are sent with these credentials. The name is not proven, and opens nothing. */
export function whose({ token, visitorId }: Credentials): string {
  const user = subject(token);
  return user === undefined ? `visitor ${visitorId ?? ''}` : `user ${user}`;
}

/** What to keep of a log; nothing if there is nothing. */
export function unsentOf({ entries, names }: Log, whose: string): Unsent | undefined {
  const messages: Kept[] = [];
  let characters = 0;
  for (const { key, text, tries, state, error } of entries) {
    characters += state === 'delivered' ? 0 : text.length;
    if (state !== 'delivered' && messages.length < MOST_KEPT && characters <= MOST_CHARACTERS) {
      const reason = state === 'failed' && error;
      messages.push({
        clientId: key,
        text,
        isTried: tries > 0,
        ...(reason && { error: { code: reason.code, message: reason.message } }),
      });
    }
  }
  return messages.length > 0 ? { whose, names, messages } : undefined;
}

/** The log with what was kept behind it. Whatever may have been sent before is sent as what it is, a retry. */
export function resumed(
  log: Log,
  { messages, names = log.names }: Unsent,
  sender: Entry['sender'],
): Log {
  const known = new Set(log.entries.map(({ key }) => key));
  const entries = messages
    .filter(({ clientId }) => !known.has(clientId))
    .map(({ clientId, text, isTried, error }): Entry => {
      const failure = error
        ? new ChatError(error.code, error.message)
        : // A server that knows no names would take it twice.
          isTried && names === false
          ? fail('DISCONNECTED', 'The page was left while this was on its way')
          : null;
      const entry = ownEntry(clientId, text, sender, 1);
      return failure ? { ...entry, state: 'failed', error: failure } : entry;
    });
  // They were written before whatever has been written since.
  const end = log.entries.findIndex(({ state }) => state !== 'delivered');
  const place = end < 0 ? log.entries.length : end;
  return {
    names,
    entries: [...log.entries.slice(0, place), ...entries, ...log.entries.slice(place)],
  };
}

/** Where they are kept. Without storage, nowhere. */
export class Shelf {
  readonly #key: string;
  #written: string | null | undefined;

  constructor(conversation: string) {
    this.#key = `amoiq-chat-unsent${conversation}`;
  }

  read(): Unsent | undefined {
    try {
      this.#written = sessionStorage.getItem(this.#key);
      const kept = JSON.parse(this.#written || '{}') as Partial<Unsent> | null;
      return typeof kept?.whose === 'string' && kept.messages?.every(isKept)
        ? (kept as Unsent)
        : undefined;
    } catch {
      return undefined;
    }
  }

  write(unsent: Unsent | undefined): void {
    const text = unsent ? JSON.stringify(unsent) : null;
    if (text === this.#written) {
      return;
    }
    this.#written = text;
    try {
      if (text === null) {
        sessionStorage.removeItem(this.#key);
      } else {
        sessionStorage.setItem(this.#key, text);
      }
    } catch {
      // Blocked or full.
    }
  }
}

function isKept({ clientId, text }: Partial<Kept>): boolean {
  return typeof clientId === 'string' && typeof text === 'string';
}

/** Who a token says it is; nobody where it is no token of that kind. */
export function subject(token: unknown): string | undefined {
  const claims = typeof token === 'string' && token.split('.')[1];
  if (!claims) {
    return undefined;
  }
  try {
    const { sub } = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/'))) as {
      sub?: unknown;
    };
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}
