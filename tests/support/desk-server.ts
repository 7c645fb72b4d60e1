/**
 * A server of which a test says who is there and what they do: the official one, with as much of the wire as a desk needs. It
 * keeps conversations by session, and knows neither credentials nor limits.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

/** What a row may say beyond the first days' fields. */
export interface DeskUser {
  readonly userId: string;
  readonly sessionId: string;
  readonly connectedAt: string;
  readonly domain?: string;
  readonly origin?: string;
  readonly url?: string;
  readonly title?: string;
  readonly referrer?: string;
  readonly firstPage?: string;
  readonly startedAt?: string;
  readonly visits?: number;
  readonly idleSince?: string;
  readonly tabs?: number;
}

export interface DeskMessage {
  readonly id: string;
  readonly text: string;
  readonly sender: 'user' | 'agent' | 'bot';
  readonly timestamp: string;
  readonly sessionId: string;
  readonly userId: string;
  readonly tenantId: string;
}

export interface DeskSample {
  readonly at: string;
  readonly online: number | null;
  readonly peak: number | null;
}

const TENANT = 'demo';

export class DeskServer {
  readonly #io: Server;
  readonly #users = new Map<string, DeskUser>();
  readonly #said = new Map<string, DeskMessage[]>();
  #messages = 0;
  /** What is answered to whoever asks how many there were. */
  samples: readonly DeskSample[] = [];
  /** The code with which everybody is refused, if anybody is. */
  refusal: string | null = null;
  readonly url: string;

  private constructor(io: Server, url: string) {
    this.#io = io;
    this.url = url;
  }

  static async start(users: Iterable<DeskUser> = []): Promise<DeskServer> {
    const http = createServer((request, response) => server.#answer(request, response));
    const io = new Server(http, { cors: { origin: '*' } });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const { port } = http.address() as AddressInfo;
    const server = new DeskServer(io, `http://127.0.0.1:${port}`);
    for (const user of users) server.#users.set(user.userId, user);
    io.use((_, next) => {
      const { refusal: code } = server;
      next(code === null ? undefined : Object.assign(new Error(code), { data: { code } }));
    });
    io.on('connection', (socket) => {
      socket.on('get_online_users', () => socket.emit('online_users_list', server.#list()));
      socket.on('join_conversation', ({ sessionId }: { sessionId: string }, told: Told) => {
        void socket.join(sessionId);
        told({ messages: server.#said.get(sessionId) ?? [] });
      });
      socket.on('message', ({ sessionId, text, clientId }: Said, told: Told) => {
        const { id, timestamp } = server.say(sessionId, 'agent', text, clientId);
        told({ messageId: id, timestamp });
      });
    });
    return server;
  }

  /** A user comes, or is somewhere else now. */
  online(user: DeskUser): void {
    this.#users.set(user.userId, user);
    this.#io.emit('user_online', user);
  }

  offline(userId: string): void {
    this.#users.delete(userId);
    this.#io.emit('user_offline', { userId });
  }

  /** Something is said in the conversation of a session. */
  say(
    sessionId: string,
    sender: DeskMessage['sender'],
    text: string,
    clientId?: string,
    at = new Date(),
  ): DeskMessage {
    const userId = this.#owner(sessionId);
    const message: DeskMessage = {
      ...{ id: `m${this.#messages++}`, text, sender, timestamp: at.toISOString() },
      ...{ sessionId, userId, tenantId: TENANT, ...(clientId && { clientId }) },
    };
    this.#said.set(sessionId, [...(this.#said.get(sessionId) ?? []), message]);
    this.#io.to(sessionId).emit('meta_message_created', { message });
    this.#io.emit('conversation_updated', { conversation: this.#summary(sessionId, message) });
    return message;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#io.close();
  }

  #owner(sessionId: string): string {
    const owner = [...this.#users.values()].find((user) => user.sessionId === sessionId);
    return owner?.userId ?? this.#said.get(sessionId)?.at(-1)?.userId ?? `anonymous-${sessionId}`;
  }

  #list(): { users: DeskUser[] } {
    return { users: [...this.#users.values()] };
  }

  #summary(sessionId: string, lastMessage: DeskMessage) {
    const { userId, timestamp: updatedAt } = lastMessage;
    return { id: `session:${sessionId}`, sessionId, userId, updatedAt, lastMessage };
  }

  #conversations() {
    const summaries = [...this.#said].flatMap(([sessionId, messages]) => {
      const last = messages.at(-1);
      return last ? [this.#summary(sessionId, last)] : [];
    });
    return summaries.sort((one, other) => other.updatedAt.localeCompare(one.updatedAt));
  }

  #page(start: number, limit: number): object {
    const all = this.#conversations();
    const end = start + limit;
    return { conversations: all.slice(start, end), ...(end < all.length && { nextCursor: String(end) }) };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const headers = {
      'access-control-allow-origin': '*',
      'access-control-allow-headers': '*',
      'content-type': 'application/json',
    };
    if (request.method === 'OPTIONS') {
      response.writeHead(204, headers).end();
    } else if (this.refusal !== null) {
      response.writeHead(401, headers).end(JSON.stringify({ error: 'Refused', code: this.refusal }));
    } else {
      response.writeHead(200, headers).end(JSON.stringify(this.#document(pathname, searchParams)));
    }
  }

  #document(path: string, query: URLSearchParams): object {
    switch (path) {
      case '/api/chat/online-users/history':
        return { interval: 60_000, samples: this.samples };
      case '/api/chat/conversations':
        return this.#page(Number(query.get('cursor')), Number(query.get('limit')));
      default:
        return this.#list();
    }
  }
}

type Told = (answer: object) => void;

interface Said {
  readonly sessionId: string;
  readonly text: string;
  readonly clientId?: string;
}
