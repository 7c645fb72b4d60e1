/** Stands in for the WebAssembly core: records what the facade does to it, and does what a test says. */
import type { Api, CoreConfig, Shelf, Socket, Users } from 'chat-core';
import type { ChatError } from '../lib/errors.js';
import { ApiOp, type SocketEvent, SocketOp, UsersOp, UsersStatus } from '../lib/ops.js';
import type { ChatMessage, MessageReceipt, OnlineUser } from '../lib/types.js';

type Settings = { enableWebSocket: boolean; pollingInterval: number; autoRefresh: boolean };

export const core = {
  sockets: [] as FakeSocket[],
  apis: [] as FakeApi[],
  feeds: [] as FakeUsers[],
  starts: 0,
  /** Makes the next starts fail. */
  broken: false,
  /** What the HTTP interface answers of a conversation. */
  history: [] as ChatMessage[],
  reset() {
    const nothing = { sockets: [], apis: [], feeds: [], starts: 0, broken: false, history: [] };
    Object.assign(core, nothing);
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

class FakeSocket {
  readonly sent: object[] = [];
  readonly joined: object[] = [];
  /** What a conversation answers to whoever joins it. */
  said: ChatMessage[] = [];
  /** Set, it answers the messages; otherwise all are accepted. */
  answer: ((body: object) => Promise<MessageReceipt>) | undefined;
  requests = 0;
  connected = false;
  closed = false;

  constructor(
    readonly config: CoreConfig,
    readonly emit: (event: SocketEvent, value?: unknown) => void,
  ) {
    core.sockets.push(this);
  }

  ask(op: SocketOp, argument: unknown): unknown {
    switch (op) {
      case SocketOp.Send:
        return this.sendMessage(argument as object);
      case SocketOp.Join:
        return this.joinConversation(argument as object);
      case SocketOp.List:
        this.requests += 1;
        return undefined;
      case SocketOp.Live:
        return this.connected;
      case SocketOp.Close:
        this.closed = true;
        this.connected = false;
        return undefined;
    }
  }

  joinConversation(body: object): Promise<{ messages: ChatMessage[] }> {
    this.joined.push(body);
    return Promise.resolve({ messages: this.said });
  }

  sendMessage(body: object): Promise<MessageReceipt> {
    this.sent.push(body);
    if (this.answer) {
      return this.answer(body);
    }
    return Promise.resolve({
      messageId: `m${this.sent.length}`,
      timestamp: '2024-01-15T10:30:00.000Z',
    });
  }
}

export function chatSocket(
  config: CoreConfig,
  listener: (event: SocketEvent, value: unknown) => void,
): Socket {
  const made = new FakeSocket(config, listener);
  return ((op: SocketOp, argument?: unknown) => made.ask(op, argument)) as Socket;
}

const answers: { [Op in ApiOp]: [string, unknown] } = {
  [ApiOp.Users]: ['getOnlineUsers', []],
  [ApiOp.Messages]: ['getMessages', []],
  [ApiOp.Send]: [
    'sendMessage',
    {
      id: 'm1',
      text: 'hi',
      sender: 'user',
      timestamp: '2024-01-15T10:30:00.000Z',
      sessionId: 's-answered',
    } satisfies ChatMessage,
  ],
  [ApiOp.Session]: ['createSession', 's-created'],
};

class FakeApi {
  readonly calls: [string, unknown][] = [];
  fails: ChatError | undefined;

  constructor(readonly config: CoreConfig) {
    core.apis.push(this);
  }

  ask(op: ApiOp, argument: unknown): Promise<unknown> {
    const [name, answer] = answers[op];
    this.calls.push([name, argument]);
    const value = op === ApiOp.Messages ? core.history : answer;
    return this.fails ? Promise.reject(this.fails) : Promise.resolve(value);
  }
}

export function chatApi(config: CoreConfig): Api {
  const made = new FakeApi(config);
  return ((op: ApiOp, argument?: unknown) => made.ask(op, argument)) as Api;
}

class FakeUsers {
  refreshes = 0;
  closed = false;
  readonly #rows: (OnlineUser | undefined)[] = [];
  readonly #slots = new Map<string, number>();
  readonly shelf: { -readonly [Name in keyof Shelf]: Shelf[Name] } = {
    rows: this.#rows,
    slots: this.#slots,
    size: 0,
    dirty: null,
    generation: 0,
    onchange: () => {},
    users: () => this.state.users,
  };
  state = {
    users: [] as OnlineUser[],
    error: undefined as ChatError | undefined,
    isLoading: true,
    isConnected: false,
  };

  constructor(
    readonly config: CoreConfig,
    readonly settings: Settings,
    readonly changed: (status: number, error: ChatError | undefined) => void,
  ) {
    this.state.isLoading = settings.autoRefresh;
    core.feeds.push(this);
    this.tell();
  }

  /** What a real core does when something changes. */
  become(state: Partial<FakeUsers['state']>): void {
    this.state = { ...this.state, ...state };
    this.#lay();
    this.tell();
  }

  /** The same when nothing but rows has changed. */
  show(users: OnlineUser[]): void {
    this.state.users = users;
    this.#lay();
    this.shelf.onchange();
  }

  /** Puts the users in their slots. */
  #lay(): void {
    const { users } = this.state;
    const before = this.#rows.slice();
    this.#rows.fill(undefined);
    for (const user of users) {
      const slot = this.#slots.get(user.userId) ?? this.#rows.length;
      this.#slots.set(user.userId, slot);
      this.#rows[slot] = user;
    }
    this.shelf.size = users.length;
    this.#rows.forEach((row, slot) => row !== before[slot] && this.shelf.dirty?.push(slot));
  }

  tell(): void {
    const { isLoading, isConnected, error } = this.state;
    this.changed(
      (isLoading ? UsersStatus.Loading : 0) | (isConnected ? UsersStatus.Connected : 0),
      error,
    );
  }

  ask(op: UsersOp): Shelf | undefined {
    switch (op) {
      case UsersOp.Shelf:
        return this.shelf;
      case UsersOp.Refresh:
        this.refreshes += 1;
        return undefined;
      case UsersOp.Close:
        this.closed = true;
        return undefined;
    }
  }
}

export function onlineUsers(
  config: CoreConfig,
  settings: Settings,
  changed: (status: number, error: ChatError | undefined) => void,
): Users {
  const made = new FakeUsers(config, settings, changed);
  return ((op: UsersOp) => made.ask(op)) as Users;
}
