/**
 * A shop's morning as frame texts: a list of users, then batches of changes, the same for everybody who is measured.
 *
 * What must stay true:
 * - the same seed gives the same texts, so that pages of their own need not be sent any;
 * - a batch names each user at most once, so that its changes one by one and coalesced in one delta come to the same;
 * - texts are flat strings, as a socket delivers them: what had been concatenated would be copied at its first reading;
 * - what is right at the end is known here, from nobody who is measured.
 */
import type { OnlineUser } from './subject.ts';

/** One batch of changes, as frames of single events and as one delta. */
export interface Batch {
  readonly events: readonly string[];
  readonly delta: string;
}

export interface Scene {
  /** `online_users_list`, with the version at which the first delta begins. */
  readonly list: string;
  readonly batches: readonly Batch[];
  /** What rows must be in the end. */
  readonly digest: string;
}

export interface SceneSize {
  readonly users: number;
  readonly batches: number;
  /** Changes in each batch. */
  readonly changes: number;
}

const EPOCH = 7;
const PAGES = ['shoes', 'boots', 'sandals', 'hats', 'coats', 'scarves', 'gloves', 'belts', 'sale', 'cart'];
const COLOURS = ['red', 'blue', 'green', 'black', 'white', 'grey', 'brown', 'yellow'];

export function scene({ users, batches, changes }: SceneSize, seed = 1): Scene {
  const random = randomFrom(seed);
  const people = new People(random);
  const online = new Map<string, OnlineUser>();
  const order: string[] = [];
  const arrive = (): OnlineUser => {
    const user = people.next();
    online.set(user.userId, user);
    order.push(user.userId);
    return user;
  };
  for (let count = 0; count < users; count++) arrive();
  const list = frame('online_users_list', { users: [...online.values()], epoch: EPOCH, version: 1 });

  /** Somebody who is there and whom this batch has not named; leaves their place to the last one. */
  const pick = (named: Set<string>, leaves: boolean): string => {
    for (;;) {
      const at = Math.floor(random() * order.length);
      const userId = order[at] ?? '';
      if (named.has(userId)) continue;
      if (leaves) {
        order[at] = order.at(-1) ?? '';
        order.pop();
      }
      return userId;
    }
  };

  const all: Batch[] = [];
  for (let number = 0; number < batches; number++) {
    const named = new Set<string>();
    const events: string[] = [];
    const delta = { online: [] as OnlineUser[], offline: [] as string[] };
    for (let change = 0; change < changes; change++) {
      // As many come as go, and the rest are seen again with another session: the shop stays as full.
      const kind = change < changes - (changes % 3) ? change % 3 : 2;
      if (kind === 1) {
        const userId = pick(named, true);
        named.add(userId);
        online.delete(userId);
        delta.offline.push(userId);
        events.push(frame('user_offline', { userId }));
        continue;
      }
      const user = kind === 0 ? arrive() : people.again(pick(named, false));
      named.add(user.userId);
      online.set(user.userId, user);
      delta.online.push(user);
      events.push(frame('user_online', user));
    }
    const version = 1 + (number + 1) * changes;
    const since = { epoch: EPOCH, version: version - changes };
    all.push({ events, delta: frame('presence_delta', { epoch: EPOCH, version, since, ...delta }) });
  }
  return { list, batches: all, digest: digest([...online.values()]) };
}

/** The number of rows and a hash of who they are, in order, and with which session. */
export function digest(rows: readonly OnlineUser[]): string {
  let hash = 0x811c9dc5;
  for (const { userId, sessionId } of rows) {
    for (const text of [userId, sessionId ?? '']) {
      for (let at = 0; at < text.length; at++) {
        hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
      }
    }
  }
  return `${rows.length} rows, ${(hash >>> 0).toString(16)}`;
}

/** Numbers from 0 up to 1, the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Visitors, with what the widget says of them. */
class People {
  readonly #random: () => number;
  #count = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  next(): OnlineUser {
    return this.again(`anonymous-${this.#letters(12)}${this.#count}`);
  }

  /** The same visitor in another tab. */
  again(userId: string): OnlineUser {
    this.#count++;
    const shop = Math.floor(this.#random() * 20);
    const page = `${this.#one(PAGES)}/${this.#one(COLOURS)}-${Math.floor(this.#random() * 10_000)}`;
    const origin = `https://shop-${shop}.example`;
    return {
      userId,
      sessionId: this.#letters(20),
      connectedAt: new Date(1_705_314_600_000 + this.#count * 137).toISOString(),
      domain: `shop-${shop}.example`,
      origin,
      url: `${origin}/products/${page}`,
    };
  }

  #one(words: readonly string[]): string {
    return words[Math.floor(this.#random() * words.length)] ?? '';
  }

  #letters(count: number): string {
    let text = '';
    while (text.length < count) text += Math.floor(this.#random() * 36 ** 5).toString(36);
    return text.slice(0, count);
  }
}

function frame(event: string, payload: object): string {
  return flat(`42${JSON.stringify([event, payload])}`);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The same text in one piece. */
export const flat = (text: string): string => decoder.decode(encoder.encode(text));
