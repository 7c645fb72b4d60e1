/** Unmodified `socket.io-client`, as pages of the old system use it, with everything it hears written down. */
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { ADMIN_KEY, TENANT } from './backends.ts';
import { until } from './until.ts';

export interface OnlineUser {
  readonly userId: string;
  readonly sessionId?: string;
  readonly connectedAt: string;
  readonly domain?: string;
  readonly origin?: string;
  readonly url?: string;
}

export interface ChatMessage {
  readonly id: string;
  readonly text: string;
  readonly sender: string;
  readonly timestamp: string;
  readonly sessionId: string;
  readonly userId: string;
  readonly tenantId: string | number;
}

export interface Heard {
  readonly event: string;
  readonly payload: unknown;
}

export interface ClientOptions {
  readonly tenantId?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly auth?: Readonly<Record<string, unknown>>;
  readonly socket?: Partial<ManagerOptions & SocketOptions>;
}

/** The kinds of transport that pages are found with. */
export const TRANSPORTS = {
  'websocket only': { transports: ['websocket'] },
  'polling only': { transports: ['polling'] },
  'polling, then upgrade': { transports: ['polling', 'websocket'] },
} satisfies Record<string, Partial<ManagerOptions>>;

export class OfficialClient {
  readonly socket: Socket;
  /** Every event since the start, in order. */
  readonly heard: Heard[] = [];

  private constructor(url: string, { tenantId = TENANT, query, auth, socket }: ClientOptions) {
    this.socket = io(url, {
      forceNew: true,
      transports: ['websocket'],
      query: { tenantId, ...query },
      auth: { ...auth },
      reconnectionDelay: 20,
      reconnectionDelayMax: 100,
      ...socket,
    });
    this.socket.onAny((event: string, payload: unknown) => {
      this.heard.push({ event, payload });
    });
  }

  /** Opens a socket without waiting for it. */
  static open(url: string, options: ClientOptions = {}): OfficialClient {
    return new OfficialClient(url, options);
  }

  static async visitor(
    url: string,
    visitorId: string,
    options: ClientOptions = {},
  ): Promise<OfficialClient> {
    const client = new OfficialClient(url, { ...options, auth: { visitorId, ...options.auth } });
    await client.connected();
    return client;
  }

  static async admin(url: string, options: ClientOptions = {}): Promise<OfficialClient> {
    const client = new OfficialClient(url, {
      ...options,
      query: { role: 'admin', ...options.query },
      auth: { token: ADMIN_KEY, ...options.auth },
    });
    await client.connected();
    return client;
  }

  get id(): string {
    const { id } = this.socket;
    if (id === undefined) throw new Error('the socket is not connected');
    return id;
  }

  async connected(): Promise<void> {
    let refusal: Error | undefined;
    const refused = (error: Error): void => {
      refusal = error;
    };
    this.socket.on('connect_error', refused);
    await until('the connection', () => {
      if (refusal && !this.socket.active) throw refusal;
      return this.socket.connected;
    });
    this.socket.off('connect_error', refused);
  }

  /** The refusal that ends the attempt to connect. */
  refused(): Promise<Error & { data?: unknown }> {
    return new Promise((resolve, reject) => {
      this.socket.once('connect', () => reject(new Error('the server let this client in')));
      this.socket.once('connect_error', resolve);
    });
  }

  /** All payloads of an event so far. */
  all<T>(event: string): T[] {
    return this.heard.filter((heard) => heard.event === event).map(({ payload }) => payload as T);
  }

  /** The first payload of an event that satisfies the condition, past or to come. */
  first<T>(event: string, condition: (payload: T) => boolean = () => true): Promise<T> {
    return until(`${event} among ${JSON.stringify(this.heard)}`, () =>
      this.all<T>(event).find(condition),
    ) as Promise<T>;
  }

  online(userId: string): Promise<OnlineUser> {
    return this.first<OnlineUser>('user_online', (user) => user.userId === userId);
  }

  offline(userId: string): Promise<{ userId: string }> {
    return this.first<{ userId: string }>('user_offline', (user) => user.userId === userId);
  }

  /** Asks for the list and resolves with the answer. */
  async list(tenantId: string | number = TENANT): Promise<OnlineUser[]> {
    const before = this.all('online_users_list').length;
    this.socket.emit('get_online_users', { tenantId });
    const answer = await until('the list', () =>
      this.all<{ users: OnlineUser[] }>('online_users_list').at(before),
    );
    return answer.users;
  }

  /** Sends a message and resolves with the acknowledgement. */
  send(text: unknown, more: object = {}): Promise<Record<string, unknown>> {
    return this.socket.emitWithAck('message', { text, ...more }) as Promise<Record<string, unknown>>;
  }

  close(): void {
    this.socket.disconnect();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
