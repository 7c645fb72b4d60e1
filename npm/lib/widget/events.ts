/** Who in the page hears of what happens: listeners of the widget's own, and everyone on `window`. A listener that throws stops nothing. */
import type { ChatWidgetEvent, ChatWidgetEvents, ChatWidgetListener } from './public.js';

const NAMES: Record<ChatWidgetEvent, true> = {
  ready: true,
  open: true,
  close: true,
  message: true,
  unread: true,
  error: true,
  connection: true,
  shutdown: true,
};

type Listener = (detail: object) => void;

export class Events {
  readonly #listeners = new Map<string, Set<Listener>>();
  #isReady = false;

  emit<E extends ChatWidgetEvent>(event: E, detail: ChatWidgetEvents[E]): void {
    this.#isReady = event === 'ready' || (this.#isReady && event !== 'shutdown');
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      call(listener, detail);
    }
    window.dispatchEvent(new CustomEvent(`chat-widget:${event}`, { detail }));
  }

  /** Throws a sentence where there is no such event or no function. */
  on<E extends ChatWidgetEvent>(event: E, listener: ChatWidgetListener<E>): void {
    if (!Object.hasOwn(NAMES, event) || typeof listener !== 'function') {
      throw new Error(`'on' takes one of ${Object.keys(NAMES).join(', ')} and a function`);
    }
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener as Listener));
    if (event === 'ready' && this.#isReady) {
      queueMicrotask(() => call(listener as Listener, {}));
    }
  }

  off(event: string, listener: unknown): void {
    this.#listeners.get(event)?.delete(listener as Listener);
  }
}

/** A mistake of the page's is the page's: it is reported there, by itself. */
function call(listener: Listener, detail: object): void {
  try {
    listener(detail);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
