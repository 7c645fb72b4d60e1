/** `ChatAPI`: the HTTP requests. A failed request rejects with a `ChatError`, always. */
import type { Api, CoreConfig } from 'chat-core';
import { type Abortable, abortable } from './abort.js';
import { coreConfig } from './core-config.js';
import { loadCore } from './core.js';
import { ApiOp } from './ops.js';
import { messageBody } from './page.js';
import type { ChatMessage, OnlineUser, SendOptions, WebsiteInfo } from './types.js';

/** The HTTP interface of a tenant, for an admin or a visitor. */
export class ChatAPI {
  readonly #tenantId: string;
  readonly #website: WebsiteInfo | undefined;
  #config: CoreConfig | undefined;
  #sessionId: string | undefined;

  /** Does nothing yet; endpoints and credentials are read by the first request. */
  constructor(tenantId: string, websiteInfo?: WebsiteInfo) {
    this.#tenantId = tenantId;
    this.#website = websiteInfo;
  }

  /** Who is online now. For admins. */
  getOnlineUsers({ signal }: Abortable = {}): Promise<OnlineUser[]> {
    return this.#ask(signal, (api) => api(ApiOp.Users));
  }

  /** The messages of a conversation; without an id, of the session this client has opened. */
  async getMessages(sessionId?: string, options: Abortable = {}): Promise<ChatMessage[]> {
    const id = sessionId ?? this.#sessionId ?? (await this.initializeSession(options));
    return this.#ask(options.signal, (api) => api(ApiOp.Messages, { sessionId: id }));
  }

  /** Sends a message to the session this client has opened, or as an admin to `options.sessionId`. */
  async sendMessage(text: string, options: SendOptions = {}): Promise<ChatMessage> {
    // A name is good for one author, and without a session a visitor is another one with each request.
    const sessionId =
      options.sessionId ??
      this.#sessionId ??
      (options.clientId && (await this.initializeSession(options)));
    const body = messageBody(text, this.#website, { ...options, sessionId });
    const message = await this.#ask(options.signal, (api) =>
      api(ApiOp.Send, { ...body, tenantId: this.#tenantId }),
    );
    if (sessionId === undefined) {
      this.#sessionId = message.sessionId;
    }
    return message;
  }

  /** Opens a session, which later calls use, and resolves to its id. */
  async initializeSession({ signal }: Abortable = {}): Promise<string> {
    const id = await this.#ask(signal, (api) =>
      api(ApiOp.Session, { tenantId: this.#tenantId }),
    );
    this.#sessionId = id;
    return id;
  }

  #ask<T>(signal: AbortSignal | undefined, request: (api: Api) => Promise<T>): Promise<T> {
    return abortable(async () => {
      this.#config ??= coreConfig(this.#tenantId, false, this.#website);
      const { chatApi } = await loadCore();
      return request(chatApi({ ...this.#config, signal }));
    }, signal);
  }
}
