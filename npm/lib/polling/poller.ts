/**
 * An Engine.IO session over HTTP long-polling.
 *
 * What must stay true: one request for packets is open at a time and one with packets under way, as the protocol demands;
 * packets arrive in the order in which they were sent; after its end nobody is told anything.
 */
import { bodyOf, CLOSE, openingOf, packetsOf } from './payload.js';

/** Who is told of it. */
export interface Listener {
  /** A packet has come, the opening one first. */
  readonly packet: (packet: string) => void;
  /** It has ended, or could not begin. */
  readonly end: () => void;
}

/** Browsers let so much go on when a page is left, in all requests together. */
const MOST_KEPT_ALIVE = 60_000;

/** Opens a session at an address that is written for a WebSocket. */
export class Poller {
  readonly #address: URL;
  readonly #over = new AbortController();
  #listener: Listener | undefined;
  #queue: string[] = [];
  #most = 0;
  #isSending = false;
  #isAsked = false;
  #isClosing = false;

  constructor(url: string, listener: Listener) {
    this.#listener = listener;
    this.#address = pollingAddress(url);
    void this.#poll();
  }

  /** What is sent in one go goes in one request. */
  send(packet: string): void {
    this.#queue.push(packet);
    if (!this.#isAsked) {
      this.#isAsked = true;
      queueMicrotask(() => {
        this.#isAsked = false;
        void this.#flush();
      });
    }
  }

  /** Ends the session, after what was sent. */
  close(): void {
    this.#listener = undefined;
    this.#isClosing = true;
    if (!this.#address.searchParams.has('sid')) {
      return this.#over.abort();
    }
    this.#queue.push(CLOSE);
    void this.#flush();
  }

  async #poll(): Promise<void> {
    try {
      while (!this.#over.signal.aborted) {
        const body = await this.#request();
        if (body === '') {
          // Servers wait until there is something to say: this would be asked again at once, without end.
          throw new Error('an answer without a packet');
        }
        packetsOf(body).forEach((packet) => this.#hear(packet));
      }
    } catch {
      this.#end();
    }
  }

  #hear(packet: string): void {
    if (packet === CLOSE) {
      return this.#end();
    }
    if (!this.#address.searchParams.has('sid')) {
      const opening = openingOf(packet);
      if (!opening) {
        return this.#end();
      }
      begun(this.#address.searchParams, opening.sid);
      this.#most = opening.maxPayload;
    }
    this.#listener?.packet(packet);
  }

  async #flush(): Promise<void> {
    if (this.#isSending || this.#queue.length === 0 || this.#over.signal.aborted) {
      return;
    }
    const { body, count } = bodyOf(this.#queue, this.#most);
    this.#queue = this.#queue.slice(count);
    this.#isSending = true;
    try {
      await this.#request(body);
    } catch {
      return this.#end();
    }
    this.#isSending = false;
    if (this.#isClosing && this.#queue.length === 0) {
      return this.#end();
    }
    return this.#flush();
  }

  async #request(body?: string): Promise<string> {
    const response = await fetch(this.#address, {
      // No header beyond those that every page may send: nothing has to be asked for beforehand.
      ...(body !== undefined && { method: 'POST', body }),
      cache: 'no-store',
      credentials: 'omit',
      keepalive: this.#isClosing && body !== undefined && body.length < MOST_KEPT_ALIVE,
      signal: this.#over.signal,
    });
    if (!response.ok) {
      throw new Error(`HTTP ${response.status}`);
    }
    return response.text();
  }

  #end(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    this.#over.abort();
    listener?.end();
  }
}

/** What the server and whatever stands before it know a session by. All else has been said, and is not repeated in each log. */
const KNOWN_BY = ['EIO', 'transport', 'tenantId'];

function begun(query: URLSearchParams, sid: string): void {
  const others = [...query.keys()].filter((name) => !KNOWN_BY.includes(name));
  others.forEach((name) => query.delete(name));
  query.set('sid', sid);
}

function pollingAddress(url: string): URL {
  const address = new URL(url.replace(/^ws/i, 'http'));
  address.searchParams.set('transport', 'polling');
  return address;
}
