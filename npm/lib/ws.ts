/**
 * `ChatWebSocket`: one live connection, usable from the line after its construction.
 *
 * It holds no protocol; it waits for the core, hands calls over in the order they were made, and
 * turns the core's events into callbacks. After `disconnect` nothing is called any more.
 */
import type { Socket } from 'chat-core';
import { coreConfig } from './core-config.js';
import { inBrowser, loadCore } from './core.js';
import { ChatError, fail } from './errors.js';
import { SocketEvent, SocketOp } from './ops.js';
import { keepToken, messageBody } from './page.js';
import type {
  ChatMessage,
  MessageReceipt,
  OnlineUser,
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
  #closed = false;

  /**
   * Connects at once and keeps reconnecting until `disconnect`. Problems, a bad configuration
   * included, arrive at `onError`; nothing is thrown. On a server it stays inert.
   *
   * @param isAdmin asks for the admin role; the configured key or token must prove it.
   */
  constructor(
    tenantId: string,
    callbacks: WebSocketCallbacks = {},
    websiteInfo?: WebsiteInfo,
    isAdmin = false,
  ) {
    this.#callbacks = callbacks;
    this.#website = isAdmin ? undefined : (websiteInfo ?? {});
    const browser = inBrowser();
    this.#ready = browser
      ? this.#open(tenantId, isAdmin)
      : Promise.reject(fail('NOT_CONNECTED', 'There is no connection outside a browser'));
    this.#ready.catch((error: unknown) => browser && this.#emit(SocketEvent.Failed, error));
  }

  /**
   * Sends a message; while the connection is coming up or back it waits its turn. Resolves when the
   * server has accepted it, rejects with a `ChatError`.
   */
  async sendMessage(text: string, options: SendOptions = {}): Promise<MessageReceipt> {
    const body = messageBody(text, this.#website, options);
    return (await this.#ready)(SocketOp.Send, body);
  }

  /** Asks for the list of online users; it arrives at `onOnlineUsersList`. For admins. */
  requestOnlineUsers(): void {
    this.#ready.then(
      (socket) => this.#closed || socket(SocketOp.List),
      () => {
        // Told to `onError` when it happened.
      },
    );
  }

  /** Whether the connection is up now. */
  isConnected(): boolean {
    return !this.#closed && this.#socket !== undefined && this.#socket(SocketOp.Live);
  }

  /** Ends the connection for good. */
  disconnect(): void {
    if (!this.#closed) {
      this.#socket?.(SocketOp.Close);
      this.#closed = true;
    }
  }

  async #open(tenantId: string, isAdmin: boolean): Promise<Socket> {
    const config = coreConfig(tenantId, isAdmin, this.#website);
    const core = await loadCore();
    if (this.#closed) {
      throw fail('DISCONNECTED', 'Disconnected before the connection was made');
    }
    this.#socket = core.chatSocket(config, (event, value) =>
      event === SocketEvent.VisitorToken ? keepToken(tenantId, value) : this.#emit(event, value),
    );
    return this.#socket;
  }

  #emit(event: SocketEvent, value: unknown): void {
    if (this.#closed) {
      return;
    }
    const callbacks = this.#callbacks;
    try {
      switch (event) {
        case SocketEvent.Connected:
          return callbacks.onConnect?.();
        case SocketEvent.Disconnected:
          return callbacks.onDisconnect?.();
        case SocketEvent.Failed:
        case SocketEvent.Refused:
          return callbacks.onError?.(value as ChatError);
        case SocketEvent.Message:
          return callbacks.onMessage?.(value as ChatMessage);
        case SocketEvent.UserOnline:
          return callbacks.onUserOnline?.(value as OnlineUser);
        case SocketEvent.UserOffline:
          return callbacks.onUserOffline?.(value as string);
        case SocketEvent.List:
          return callbacks.onOnlineUsersList?.(value as OnlineUser[]);
      }
    } catch (error) {
      // The page's mistake is the page's: it is reported there and never reaches the core.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
