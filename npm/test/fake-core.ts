/** Stands in for the WebAssembly core: records what the facade does to it, and does what a test says. */
import type { About, Api, Auth, CoreConfig, Shelf, Socket, Users } from 'chat-core';
import type { ChatError } from '../lib/errors.js';
import { ApiOp, type SocketEvent, SocketOp, UsersOp, UsersStatus } from '../lib/ops.js';
import type { ChatMessage, MessageReceipt, OnlineUser } from '../lib/types.js';

/** What the core says of a connection, by number. */
export const STATUS = { idle: 0, connecting: 1, live: 2, polling: 3, backoff: 4, closed: 5 };

export const core = {
  sockets: [] as FakeSocket[],
  /** The requests so far: what for, with what, and with which settings. */
  calls: [] as [string, unknown][],
  configs: [] as CoreConfig[],
  /** Makes the next requests fail. */
  refusal: undefined as ChatError | undefined,
  feeds: [] as FakeUsers[],
  /** What was asked before there was a core: as whom, and how often that had been started. */
  ahead: [] as [object, number][],
  starts: 0,
  /** Makes the next starts fail. */
  broken: false,
  /** What the HTTP interface answers of a conversation. */
  history: [] as ChatMessage[],
  /** Set, it answers whatever else is read over HTTP. */
  get: undefined as ((request: { path: string; cursor?: string }) => unknown) | undefined,
  reset() {
    const nothing = { sockets: [], calls: [], configs: [], feeds: [], ahead: [], starts: 0, history: [] };
    Object.assign(core, { ...nothing, refusal: undefined, broken: false, get: undefined });
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
  readonly reports: object[] = [];
  /** What a conversation answers to whoever joins it. */
  said: ChatMessage[] = [];
  /** Set, it answers the messages; otherwise all are accepted. */
  answer: ((body: object) => Promise<MessageReceipt>) | undefined;
  requests = 0;
  status: keyof typeof STATUS = 'connecting';
  closed = false;
  readonly cancelled: unknown[] = [];

  constructor(
    readonly config: CoreConfig,
    readonly emit: (event: SocketEvent, value?: unknown) => void,
  ) {
    core.sockets.push(this);
  }

  /** What a real core does for a connect: it asks who comes, and says that and what else there is to say. */
  async handshake(): Promise<Auth & About> {
    const auth = { ...(await this.config.credentials()), ...this.config.about?.() };
    return JSON.parse(JSON.stringify(auth)) as Auth & About;
  }

  /** What a real core does when its connection stands otherwise. */
  become(status: FakeSocket['status'], event: SocketEvent, value?: unknown): void {
    this.status = status;
    this.emit(event, value);
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
      case SocketOp.Status:
        return STATUS[this.status];
      case SocketOp.Report:
        this.reports.push(argument as object);
        return undefined;
      case SocketOp.Cancel:
        this.cancelled.push(argument);
        return undefined;
      case SocketOp.Close:
        this.closed = true;
        this.status = 'closed';
        return undefined;
    }
  }

  joinConversation(body: object): Promise<{ messages: ChatMessage[] }> {
    this.joined.push(body);
    return Promise.resolve({ messages: this.said });
  }

  sendMessage(body: object): Promise<MessageReceipt> {
    const number = this.sent.push(body);
    const receipt = { messageId: `m${number}`, timestamp: '2024-01-15T10:30:00.000Z' };
    return Object.assign(this.answer?.(body) ?? Promise.resolve(receipt), { number });
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
  [ApiOp.Get]: ['get', {}],
};

export function chatApi(config: CoreConfig): Api {
  return ((op: ApiOp, argument?: unknown) => {
    const [name, answer] = answers[op];
    core.calls.push([name, argument]);
    core.configs.push(config);
    if (op === ApiOp.Get && core.get && !core.refusal) {
      return Promise.resolve(core.get(argument as { path: string }));
    }
    const value = op === ApiOp.Messages ? core.history : answer;
    return core.refusal ? Promise.reject(core.refusal) : Promise.resolve(value);
  }) as Api;
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
    /** No list has come yet, and one is on its way. */
    isLoading: true,
    /** A list has come, be it an empty one: as soon as none is awaited any more, unless a test says otherwise. */
    isListed: false,
    status: 'connecting' as keyof typeof STATUS,
    why: undefined as ChatError | undefined,
  };

  constructor(
    readonly config: CoreConfig,
    readonly socket: boolean,
    public interval: number,
    readonly changed: (status: number, error: ChatError | undefined) => void,
  ) {
    this.state.isLoading = socket || interval < Infinity;
    core.feeds.push(this);
    this.tell();
  }

  /** What a real core does when something changes. */
  become(state: Partial<FakeUsers['state']>): void {
    const isListed = this.state.isListed || state.isLoading === false;
    this.state = { ...this.state, isListed, ...state };
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
    const { isLoading, isListed, status, error, why } = this.state;
    const bits =
      (isLoading ? UsersStatus.Awaited : 0) |
      (error ? UsersStatus.Outdated : 0) |
      (isListed ? UsersStatus.Listed : 0);
    this.changed(bits + UsersStatus.Connection * STATUS[status], error ?? why);
  }

  ask(op: UsersOp, argument: unknown): Shelf | undefined {
    switch (op) {
      case UsersOp.Shelf:
        return this.shelf;
      case UsersOp.Refresh:
        this.refreshes += 1;
        return undefined;
      case UsersOp.Poll:
        this.interval = argument as number;
        return undefined;
      case UsersOp.Close:
        this.closed = true;
        return undefined;
    }
  }
}

export function askAhead(config: CoreConfig, auth: Auth): void {
  core.ahead.push([auth, core.starts]);
  config.ahead = 'under way';
}

export function onlineUsers(
  config: CoreConfig,
  socket: boolean,
  interval: number,
  changed: (status: number, error: ChatError | undefined) => void,
): Users {
  const made = new FakeUsers(config, socket, interval, changed);
  return ((op: UsersOp, argument?: unknown) => made.ask(op, argument)) as Users;
}
