/**
 * A WebSocket with a Socket.IO server behind it that says nothing but what it is told to, and frames that come when they are
 * asked for. So the published store runs as it is, and the moment of each thing it does is ours.
 */

type Listener = (event: { data?: string }) => void;

/** A `WebSocket` as far as a Socket.IO client uses one. */
export class FakeSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  /** Those that clients hold open. */
  static readonly open = new Set<FakeSocket>();

  readyState: number = FakeSocket.CONNECTING;
  binaryType = 'blob';
  bufferedAmount = 0;
  onopen: Listener | null = null;
  onmessage: Listener | null = null;
  onclose: Listener | null = null;
  onerror: Listener | null = null;
  /** The client has asked for the list, and waits for it. */
  asked = false;
  /** The client has asked for versioned presence. */
  versioned = false;

  constructor(readonly url: string) {
    FakeSocket.open.add(this);
    queueMicrotask(() => {
      this.readyState = FakeSocket.OPEN;
      this.onopen?.({});
      // No ping is ever due: a measurement is shorter.
      this.#say('0{"sid":"s","upgrades":[],"pingInterval":600000,"pingTimeout":600000,"maxPayload":1000000}');
    });
  }

  send(text: string): void {
    if (text.startsWith('40')) {
      const auth = text.length > 2 ? (JSON.parse(text.slice(2)) as { presence?: unknown }) : {};
      this.versioned = auth.presence === 1;
      queueMicrotask(() => this.#say('40{"sid":"s"}'));
    } else if (/^42\d*\["get_online_users"/.test(text)) {
      this.asked = true;
    }
  }

  deliver(data: string): void {
    this.onmessage?.({ data });
  }

  close(): void {
    this.readyState = FakeSocket.CLOSED;
    FakeSocket.open.delete(this);
  }

  #say(data: string): void {
    if (this.readyState === FakeSocket.OPEN) this.deliver(data);
  }
}

/** Animation frames that come when `paint` is called: what a page does once a frame is measured with what it belongs to. */
export class Frames {
  #asked = new Map<number, FrameRequestCallback>();
  #next = 1;

  /** Takes the place of the page's own. */
  install(): void {
    globalThis.requestAnimationFrame = (callback) => {
      this.#asked.set(this.#next, callback);
      return this.#next++;
    };
    globalThis.cancelAnimationFrame = (id) => void this.#asked.delete(id);
  }

  paint(): void {
    const due = this.#asked;
    this.#asked = new Map();
    for (const callback of due.values()) callback(performance.now());
  }
}
