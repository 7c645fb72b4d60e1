/**
 * A connection for pages whose network may let no WebSocket through: a class to hand to `configure`, which nobody pays for
 * who does not name it.
 *
 * To the core it is a WebSocket. It counts as open when the server's first packet has come, since there are proxies
 * that open a WebSocket and let nothing through it. Which of the two ways to take is decided by `polling/choice.ts`.
 */
import {
  type Experience,
  NONE,
  polled,
  pollsFirst,
  pollsNow,
  socketMissed,
  socketOpened,
} from './polling/choice.js';
import { Poller } from './polling/poller.js';

/** How long a WebSocket may take to open. The core gives an attempt 10 s, and requests need some of them. */
const PATIENCE = 4000;

/** What this page has learned. */
let experience: Experience = NONE;

/** What is sent on and ended. */
interface Line {
  send(data: string): void;
  close(): void;
}

/**
 * What to connect with where WebSockets may be blocked: `configure({ WebSocket: WebSocketOrPolling })`. It is a WebSocket
 * where one can be opened, and HTTP requests where not; which of them is remembered for some minutes. Outside a page it
 * connects, too, as every class does that is given to `configure`.
 */
export class WebSocketOrPolling {
  /** Called when it is open. */
  onopen: (() => void) | null = null;
  /** Called with each frame. */
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  /** Called once when it has ended, or could not be opened. */
  onclose: (() => void) | null = null;
  /** Never called: the end says it all. */
  onerror: (() => void) | null = null;
  /** As a WebSocket has it. */
  binaryType = 'arraybuffer';
  #line: Line | undefined;
  #isOpen = false;

  /** Connects at once to a Socket.IO server's address, `wss://…`. */
  constructor(url: string) {
    if (pollsFirst(experience, Date.now())) {
      this.#poll(url);
    } else {
      this.#dial(url);
    }
  }

  /** Sends a text frame. */
  send(data: string): void {
    this.#line?.send(data);
  }

  /** Ends the connection. */
  close(): void {
    const line = this.#line;
    this.#line = undefined;
    line?.close();
  }

  #dial(url: string): void {
    let socket: WebSocket;
    try {
      socket = new WebSocket(url);
    } catch {
      // There are none here, or the page's policy forbids this one.
      return this.#missed(url);
    }
    const over = () => {
      clearTimeout(timer);
      socket.onmessage = socket.onclose = null;
      // Outside a page an error that nobody listens for ends the program.
      socket.onerror = () => {};
      socket.close();
    };
    const missed = () => {
      over();
      this.#missed(url);
    };
    const timer = setTimeout(missed, PATIENCE);
    // One that the policy forbids has an error and no end in Chromium.
    socket.onerror = socket.onclose = missed;
    socket.onmessage = (event) => {
      clearTimeout(timer);
      experience = socketOpened();
      socket.onerror = () => {};
      socket.onclose = () => this.#ended();
      socket.onmessage = ({ data }) => this.#heard(data);
      this.#heard(event.data);
    };
    socket.binaryType = 'arraybuffer';
    this.#line = { send: (data) => socket.send(data), close: over };
  }

  #missed(url: string): void {
    experience = socketMissed(experience);
    if (pollsNow(experience)) {
      this.#poll(url);
    } else {
      this.#end();
    }
  }

  #poll(url: string): void {
    try {
      const heard = (packet: string) => {
        if (!this.#isOpen) {
          experience = polled(experience, Date.now());
        }
        this.#heard(packet);
      };
      this.#line = new Poller(url, { packet: heard, end: () => this.#ended() });
    } catch {
      // An address that is none.
      this.#end();
    }
  }

  #heard(data: unknown): void {
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.onopen?.();
    }
    this.onmessage?.({ data });
  }

  /** In a turn of its own: whoever makes one listens only afterwards. */
  #end(): void {
    const line = { send() {}, close() {} };
    this.#line = line;
    queueMicrotask(() => this.#line === line && this.#ended());
  }

  #ended(): void {
    this.#line = undefined;
    this.onclose?.();
  }
}
