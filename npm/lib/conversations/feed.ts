/**
 * What keeps a tenant's list of conversations true: a socket that tells of each message, and the list over HTTP whenever
 * something may have been missed, and again and again while there is no socket.
 *
 * It decides nothing about conversations; `list.ts` does.
 */
import type { Api, Socket } from 'chat-core';
import type { ConversationsSnapshot } from '../conversations.js';
import { reconnectConversations } from '../conversation.js';
import { coreConfig } from '../core-config.js';
import { loadCore } from '../core.js';
import { pause, RETRIED } from '../conversation/queue.js';
import { asError, type ChatError, fail } from '../errors.js';
import { ApiOp, SocketEvent, SocketOp } from '../ops.js';
import { paced } from '../pace.js';
import type { Work } from '../shared-store.js';
import type { ConversationSummary } from '../types.js';
import * as lists from './list.js';

const PATH = '/api/chat/conversations';

/** How many conversations are read at a time. */
const PAGE = '50';

/** Milliseconds between two readings while nothing is told. */
const POLL = 15_000;

/** The same after a refusal, which only other credentials can change. */
const SLOW_POLL = 60_000;

export class Feed implements Work {
  readonly #tenantId: string;
  readonly #set: (change: Partial<ConversationsSnapshot>) => void;
  readonly #pace = paced(() => this.#show({}), 'frame');
  #list: lists.List;
  #isOver = false;

  /** None once it has failed: the next to ask starts anew. */
  #starting: Promise<void> | undefined;
  #api: Api | undefined;
  /** Makes another socket. */
  #dial: ((listener: (event: SocketEvent, value: unknown) => void) => Socket) | undefined;
  #socket: Socket | undefined;
  /** How many sockets there have been: what a former one still says is nobody's concern. */
  #sockets = 0;
  #isConnected = false;
  /** It has come to nothing, or has ended: a next attempt is some time away. */
  #isLost = false;
  /** Why there is no socket and none will come by itself. */
  #refusal: ChatError | null = null;

  /** The last reading of the first page: what earlier ones answer has been outdated. */
  #reading: object | undefined;
  /** Until when it is not read again. */
  #rest: ReturnType<typeof setTimeout> | undefined;
  /** How many readings in a row have failed. */
  #misses = 0;
  #more: Promise<void> | undefined;

  constructor(
    tenantId: string,
    { conversations }: ConversationsSnapshot,
    set: (change: Partial<ConversationsSnapshot>) => void,
  ) {
    this.#set = set;
    this.#list = { ...lists.EMPTY, entries: conversations };
    this.#tenantId = tenantId;
    this.#starting = this.#start();
  }

  stop(): void {
    this.#isOver = true;
    this.#reading = undefined;
    this.#pace.cancel();
    clearTimeout(this.#rest);
    this.#socket?.(SocketOp.Close);
  }

  /** Reads the list now, and tries at once to connect again. */
  async refresh(): Promise<void> {
    await (this.#starting ??= this.#start());
    if (this.#api && !this.#isOver) {
      if (this.#isLost) {
        this.#connect();
      }
      await this.#read();
    }
  }

  /** Reads the next page. Whoever asks while it is on its way waits for the same one. */
  loadMore(): Promise<void> {
    const { cursor } = this.#list;
    if (typeof cursor !== 'string') {
      return Promise.resolve();
    }
    this.#more ??= this.#readFurther(cursor).finally(() => {
      this.#more = undefined;
    });
    return this.#more;
  }

  async #start(): Promise<void> {
    try {
      // A page's parts subscribe before those around them have configured anything.
      await null;
      const config = coreConfig(this.#tenantId, true);
      const core = await loadCore();
      if (this.#isOver) {
        return;
      }
      this.#api = core.chatApi(config);
      const about = () => ({ conversations: 1 });
      this.#dial = (listener) => core.chatSocket({ ...config, about }, listener);
      this.#connect();
    } catch (cause) {
      this.#starting = undefined;
      this.#show({ isLoading: false, error: asError(cause) });
    }
  }

  /** Anew, if there has been a socket: it need not wait until its own next attempt. */
  #connect(): void {
    this.#socket?.(SocketOp.Close);
    this.#isLost = false;
    this.#refusal = null;
    this.#misses = 0;
    const number = ++this.#sockets;
    this.#socket = this.#dial?.((event, value) => {
      if (!this.#isOver && number === this.#sockets) {
        this.#hear(event, value);
      }
    });
  }

  #hear(event: SocketEvent, value: unknown): void {
    switch (event) {
      case SocketEvent.Connected:
        return this.#connected();
      case SocketEvent.Disconnected:
        this.#isConnected = false;
        this.#isLost = true;
        this.#list = lists.unheard(this.#list);
        this.#show({ isConnected: false });
        return this.#restFor(POLL);
      case SocketEvent.Failed:
        return this.#failed();
      case SocketEvent.Refused:
        this.#refusal = asError(value);
        this.#isConnected = false;
        this.#isLost = true;
        this.#show({ isLoading: false, isConnected: false, error: this.#refusal });
        return this.#restFor(SLOW_POLL);
      case SocketEvent.Conversation:
        return this.#told(value);
      case SocketEvent.Connecting:
      case SocketEvent.Message:
      case SocketEvent.UserOnline:
      case SocketEvent.UserOffline:
      case SocketEvent.List:
      case SocketEvent.VisitorToken:
        return undefined;
    }
  }

  #connected(): void {
    this.#isConnected = true;
    this.#isLost = false;
    this.#show({ isConnected: true });
    reconnectConversations();
    void this.#read();
  }

  /** Without a socket there is still the list; whether that can be had is the next question. */
  #failed(): void {
    this.#isLost = !this.#isConnected;
    if (!this.#isConnected && this.#rest === undefined && this.#reading === undefined) {
      void this.#read();
    }
  }

  #told(value: unknown): void {
    if (isSummary(value)) {
      const before = this.#list;
      this.#list = lists.told(before, value);
      if (this.#list !== before) {
        this.#pace.ask();
      }
    }
  }

  async #read(): Promise<void> {
    this.#restFor(undefined);
    const reading = {};
    this.#reading = reading;
    const wasConnected = this.#isConnected;
    const asked = this.#list;
    try {
      const page = await this.#ask({});
      if (this.#reading === reading) {
        const isBack = this.#misses > 0 || this.#refusal !== null;
        this.#misses = 0;
        this.#list = lists.first(this.#list, page, asked, wasConnected && this.#isConnected);
        this.#show({ isLoading: false, error: this.#refusal });
        this.#readAgain(null);
        if (isBack && this.#isLost) {
          // Whoever answers the one will take the other, too. Until that is known, a refusal is still shown.
          this.#connect();
        }
      }
    } catch (cause) {
      if (this.#reading === reading) {
        const error = asError(cause);
        this.#misses += 1;
        this.#show({ isLoading: false, error });
        this.#readAgain(error);
      }
    }
  }

  /** While changes are told, only what has failed is read again, if that may pass. */
  #readAgain(error: ChatError | null): void {
    this.#reading = undefined;
    if (!this.#isConnected) {
      this.#restFor(this.#refusal ? SLOW_POLL : POLL);
    } else if (error && RETRIED.has(error.code)) {
      this.#restFor(pause(this.#misses, Math.random()));
    }
  }

  #restFor(milliseconds: number | undefined): void {
    clearTimeout(this.#rest);
    this.#rest =
      milliseconds === undefined ? undefined : setTimeout(() => void this.#read(), milliseconds);
  }

  async #readFurther(cursor: string): Promise<void> {
    try {
      const page = await this.#ask({ cursor });
      this.#list = lists.further(this.#list, cursor, page);
      this.#show({ error: this.#refusal });
    } catch (cause) {
      this.#show({ error: asError(cause) });
    }
  }

  async #ask(where: { cursor?: string }): Promise<lists.Page> {
    const answer = await this.#api?.(ApiOp.Get, { path: PATH, limit: PAGE, ...where });
    const { conversations, nextCursor } = (answer ?? {}) as Record<string, unknown>;
    if (!Array.isArray(conversations)) {
      throw fail('INVALID_RESPONSE', 'The answer is no list of conversations');
    }
    return {
      conversations: conversations.filter(isSummary),
      nextCursor: typeof nextCursor === 'string' ? nextCursor : null,
    };
  }

  #show(change: Partial<ConversationsSnapshot>): void {
    if (!this.#isOver) {
      this.#pace.cancel();
      const { entries, cursor } = this.#list;
      this.#set({ ...change, conversations: entries, hasMore: typeof cursor === 'string' });
    }
  }
}

/** Whether it has what is decided by, and what a list cannot be without. */
function isSummary(value: unknown): value is ConversationSummary {
  const { id, userId, sessionId, updatedAt, lastMessage } = (value ?? {}) as Record<string, unknown>;
  const message = (lastMessage ?? {}) as Record<string, unknown>;
  return [id, userId, sessionId, updatedAt, message['id']].every((text) => typeof text === 'string');
}
