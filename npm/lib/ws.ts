/**
 * `ChatWebSocket`: one live connection, usable from the line after its construction.
 *
 * It holds no protocol; it waits for the core, hands calls over in the order they were made, and
 * turns the core's events into callbacks. After `disconnect` nothing is called any more.
 */
import type { Socket } from 'chat-core';
import { type Abortable, abortable } from './abort.js';
import { CLOSED, CONNECTING, type ConnectionState, connectionOf, IDLE, Status } from './connection.js';
import { coreConfig } from './core-config.js';
import { canConnect, loadCore } from './core.js';
import { type ChatError, fail } from './errors.js';
import { SocketEvent, SocketOp } from './ops.js';
import { keepToken, messageBody } from './page.js';
import type {
  ChatMessage,
  MessageReceipt,
  SendOptions,
  WebSocketCallbacks,
  WebsiteInfo,
} from './types.js';

/** One live connection of a visitor or an admin, usable from the line after its construction. */
export class ChatWebSocket {
  readonly #callbacks: WebSocketCallbacks;
  readonly #website: WebsiteInfo | undefined;
  readonly #ready: Promise<Socket>;
  #socket: Socket | undefined;
  #connection = IDLE;
  /** The list is to be asked for as soon as there is a connection. */
  #wantsList = false;
  /** Messages under way, in order. */
  readonly #sending = new Set<Sending>();
  readonly #over = new AbortController();

  /**
   * Connects at once and keeps reconnecting until `disconnect`. Problems, a bad configuration
   * included, arrive at `onError`; nothing is thrown. On a server it stays inert.
   *
   * @param isAdmin asks for the admin role; the configured key or token must prove it.
   * @param options a signal that disconnects.
   */
  constructor(
    tenantId: string,
    callbacks: WebSocketCallbacks = {},
    websiteInfo?: WebsiteInfo,
    isAdmin = false,
    { signal }: Abortable = {},
  ) {
    this.#callbacks = callbacks;
    this.#website = isAdmin ? undefined : (websiteInfo ?? {});
    const connects = canConnect();
    if (connects) {
      this.#connection = CONNECTING;
    }
    if (signal?.aborted) {
      this.disconnect();
    }
    signal?.addEventListener('abort', () => this.disconnect(), { signal: this.#over.signal });
    this.#ready = connects
      ? this.#open(tenantId, isAdmin)
      : Promise.reject(
          fail('NOT_CONNECTED', 'There is no connection outside a browser: configure({ WebSocket })'),
        );
    this.#ready.catch((error: unknown) => connects && this.#emit(SocketEvent.Refused, error));
  }

  /** Where the connection stands; `onStateChange` tells when that changes, and why. */
  get state(): ConnectionState {
    return this.#connection.state;
  }

  /**
   * Sends a message; while the connection is coming up or back it waits its turn. Resolves when the
   * server has accepted it, rejects with a `ChatError`. One that is given up while it waits is never
   * sent.
   */
  sendMessage(text: string, options: SendOptions = {}): Promise<MessageReceipt> {
    const body = messageBody(text, this.#website, options);
    const own: Sending = { ...options, text };
    let giveUp: (() => void) | undefined;
    return abortable(
      async () => {
        const socket = await this.#ready;
        options.signal?.throwIfAborted();
        const sent = socket(SocketOp.Send, body);
        giveUp = () => socket(SocketOp.Cancel, sent.number);
        this.#sending.add(own);
        return sent
          .catch((error: ChatError) => {
            // An old server tells a message and acknowledges none.
            if (own.told && error.code === 'TIMEOUT') {
              return own.told;
            }
            throw error;
          })
          .finally(() => this.#sending.delete(own));
      },
      options.signal,
      () => giveUp?.(),
    );
  }

  /**
   * Asks for the list of online users, once there is a connection; it arrives at `onOnlineUsersList`. For
   * admins.
   */
  requestOnlineUsers(): void {
    this.#wantsList = true;
    this.#askForList();
  }

  /** Whether the connection is up now. */
  isConnected(): boolean {
    return this.state === 'live';
  }

  /** Ends the connection for good. */
  disconnect(): void {
    if (!this.#over.signal.aborted) {
      this.#socket?.(SocketOp.Close);
      this.#over.abort();
      this.#connection = CLOSED;
    }
  }

  async #open(tenantId: string, isAdmin: boolean): Promise<Socket> {
    const config = coreConfig(tenantId, isAdmin, this.#website);
    const core = await loadCore();
    if (this.#over.signal.aborted) {
      throw fail('DISCONNECTED', 'Disconnected before the connection was made');
    }
    this.#socket = core.chatSocket(config, (event, value) =>
      event === SocketEvent.VisitorToken ? keepToken(tenantId, value) : this.#emit(event, value),
    );
    return this.#socket;
  }

  #emit(event: SocketEvent, value?: unknown): void {
    if (event <= SocketEvent.Connecting) {
      this.#show(event, value as ChatError | undefined);
    }
    if (event === SocketEvent.Message) {
      this.#hear(value as ChatMessage);
    }
    const name = CALLBACKS[event];
    if (name) {
      this.#call(name, event === SocketEvent.Disconnected ? undefined : value);
    }
    this.#askForList();
  }

  /** Notes which message under way the server tells, if it is one. */
  #hear({ id: messageId, text, sender, timestamp, sessionId }: ChatMessage): void {
    const own = [...this.#sending].find(
      (one) => one.text === text && !one.told && (one.sessionId ?? sessionId) === sessionId,
    );
    if (own && sender === (this.#website ? 'user' : 'agent')) {
      own.told = { messageId, timestamp };
    }
  }

  #askForList(): void {
    if (this.#wantsList && this.isConnected()) {
      this.#wantsList = false;
      this.#socket?.(SocketOp.List);
    }
  }

  /** Where the connection stands is the core's to say; without a core an error is final. */
  #show(event: SocketEvent, value: ChatError | undefined): void {
    const before = this.#connection;
    const error = event === SocketEvent.Connecting ? before.error : value;
    const status = this.#socket?.(SocketOp.Status) ?? (error ? Status.Closed : Status.Connecting);
    this.#connection = connectionOf(before, status, error);
    if (this.#connection !== before) {
      this.#call('onStateChange', this.#connection);
    }
  }

  /** A mistake of the page's is the page's: it is reported there and never reaches the core. */
  #call(name: keyof WebSocketCallbacks, value: unknown): void {
    try {
      if (!this.#over.signal.aborted) {
        (this.#callbacks as Record<string, (value: unknown) => void>)[name]?.(value);
      }
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** A message that is under way. */
interface Sending extends SendOptions {
  readonly text: string;
  /** What the server told of it, if it did. */
  told?: MessageReceipt;
}

/** By the number of the event. */
const CALLBACKS: readonly (keyof WebSocketCallbacks | undefined)[] = [
  'onConnect',
  'onDisconnect',
  'onError',
  'onError',
  undefined,
  'onMessage',
  'onUserOnline',
  'onUserOffline',
  'onOnlineUsersList',
];
