/** Stands in for the WebAssembly core: records what the facade does to it, and does what a test says. */
import type { CoreConfig, CoreEvent } from 'chat-core';
import type { ChatError } from '../lib/errors.js';
import type { ChatMessage, MessageReceipt, OnlineUser } from '../lib/types.js';

type Settings = { enableWebSocket: boolean; pollingInterval: number; autoRefresh: boolean };

export const core = {
  sockets: [] as ChatSocket[],
  apis: [] as ChatApi[],
  feeds: [] as OnlineUsers[],
  starts: 0,
  /** Makes the next starts fail. */
  broken: false,
  reset() {
    Object.assign(core, { sockets: [], apis: [], feeds: [], starts: 0, broken: false });
  },
};

export const coreId = 'this-build';

export function initSync(): void {
  core.starts += 1;
}

/** The smallest module there is. */
export function wasmBytes(): Uint8Array<ArrayBuffer> {
  return core.broken ? new Uint8Array(1) : new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
}

export class ChatSocket {
  readonly sent: object[] = [];
  requests = 0;
  connected = false;
  closed = false;

  constructor(
    readonly config: CoreConfig,
    readonly emit: (event: CoreEvent, value?: unknown) => void,
  ) {
    core.sockets.push(this);
  }

  sendMessage(body: object): Promise<MessageReceipt> {
    this.sent.push(body);
    return Promise.resolve({
      messageId: `m${this.sent.length}`,
      timestamp: '2024-01-15T10:30:00.000Z',
    });
  }

  requestOnlineUsers(): void {
    this.requests += 1;
  }

  isConnected(): boolean {
    return this.connected;
  }

  disconnect(): void {
    this.closed = true;
    this.connected = false;
  }

  free(): void {}
}

export class ChatApi {
  readonly calls: [string, unknown][] = [];
  fails: ChatError | undefined;

  constructor(readonly config: CoreConfig) {
    core.apis.push(this);
  }

  getOnlineUsers(): Promise<OnlineUser[]> {
    return this.#answer('getOnlineUsers', undefined, []);
  }

  getMessages(sessionId: string): Promise<ChatMessage[]> {
    return this.#answer('getMessages', sessionId, []);
  }

  sendMessage(body: object): Promise<ChatMessage> {
    return this.#answer('sendMessage', body, {
      id: 'm1',
      text: 'hi',
      sender: 'user',
      timestamp: '2024-01-15T10:30:00.000Z',
      sessionId: 's-answered',
    });
  }

  createSession(body: object): Promise<string> {
    return this.#answer('createSession', body, 's-created');
  }

  free(): void {}

  #answer<T>(name: string, argument: unknown, value: T): Promise<T> {
    this.calls.push([name, argument]);
    return this.fails ? Promise.reject(this.fails) : Promise.resolve(value);
  }
}

export class OnlineUsers {
  refreshes = 0;
  closed = false;
  state = {
    users: [] as OnlineUser[],
    error: undefined as ChatError | undefined,
    isLoading: true,
    isConnected: false,
  };

  constructor(
    readonly config: CoreConfig,
    readonly settings: Settings,
    readonly changed: () => void,
  ) {
    this.state.isLoading = settings.autoRefresh;
    core.feeds.push(this);
  }

  /** What a real core does when something changes. */
  become(state: Partial<OnlineUsers['state']>): void {
    this.state = { ...this.state, ...state };
    this.changed();
  }

  users(): OnlineUser[] {
    return this.state.users;
  }

  error(): ChatError | undefined {
    return this.state.error;
  }

  isLoading(): boolean {
    return this.state.isLoading;
  }

  isConnected(): boolean {
    return this.state.isConnected;
  }

  refresh(): void {
    this.refreshes += 1;
  }

  close(): void {
    this.closed = true;
  }

  free(): void {}
}
