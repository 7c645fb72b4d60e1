/** `ChatAPI`: the HTTP requests. A failed request rejects with a `ChatError`, always. */
import type { Api } from 'chat-core';
import { coreConfig } from './core-config.js';
import { loadCore } from './core.js';
import { ApiOp } from './ops.js';
import { messageBody } from './page.js';
import type { ChatMessage, OnlineUser, SendOptions, WebsiteInfo } from './types.js';

/** The HTTP interface of a tenant, for an admin or a visitor. */
export class ChatAPI {
  readonly #tenantId: string;
  readonly #website: WebsiteInfo | undefined;
  #api: Promise<Api> | undefined;
  #sessionId: string | undefined;

  /** Does nothing yet; endpoints and credentials are read by the first request. */
  constructor(tenantId: string, websiteInfo?: WebsiteInfo) {
    this.#tenantId = tenantId;
    this.#website = websiteInfo;
  }

  /** Who is online now. For admins. */
  async getOnlineUsers(): Promise<OnlineUser[]> {
    return (await this.#core())(ApiOp.Users);
  }

  /** The messages of a conversation; without an id, of the session this client has opened. */
  async getMessages(sessionId?: string): Promise<ChatMessage[]> {
    const id = sessionId ?? this.#sessionId ?? (await this.initializeSession());
    return (await this.#core())(ApiOp.Messages, id);
  }

  /** Sends a message to the session this client has opened, or as an admin to `options.sessionId`. */
  async sendMessage(text: string, options: SendOptions = {}): Promise<ChatMessage> {
    const sessionId = options.sessionId ?? this.#sessionId;
    const body = messageBody(text, this.#website, { ...options, sessionId });
    const message = await (await this.#core())(ApiOp.Send, { ...body, tenantId: this.#tenantId });
    if (sessionId === undefined) {
      this.#sessionId = message.sessionId;
    }
    return message;
  }

  /** Opens a session, which later calls use, and resolves to its id. */
  async initializeSession(): Promise<string> {
    const id = await (await this.#core())(ApiOp.Session, { tenantId: this.#tenantId });
    this.#sessionId = id;
    return id;
  }

  #core(): Promise<Api> {
    this.#api ??= this.#open().catch((error: unknown) => {
      this.#api = undefined;
      throw error;
    });
    return this.#api;
  }

  async #open(): Promise<Api> {
    const config = coreConfig(this.#tenantId, false, this.#website);
    const core = await loadCore();
    return core.chatApi(config);
  }
}
