/**
 * The official Socket.IO server in this process, with the one HTTP request of a dashboard beside it. It lets in and answers as
 * the test says, and writes down who came, what they showed, and how they left.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type ServerOptions } from 'socket.io';

export interface Attempt {
  readonly token: unknown;
}

export class OfficialServer {
  /** Everyone who asked to join, let in or not. */
  readonly attempts: Attempt[] = [];
  /** The bearer tokens of the requests for the list. */
  readonly polls: Attempt[] = [];
  /** Why those who were in have left, in the words of Socket.IO. */
  readonly left: string[] = [];
  /** The code with which a token is refused; without one it is let in. */
  refusal: (token: unknown) => string | undefined = () => undefined;
  /** What is called with each message and may acknowledge it. */
  onMessage: (text: string, acknowledge: (receipt: object) => void) => void = (_, acknowledge) =>
    acknowledge({ messageId: 'm', timestamp: new Date().toISOString() });
  readonly io: Server;
  readonly #http: HttpServer;

  private constructor(options: Partial<ServerOptions>) {
    this.#http = createServer((request, response) => this.#answer(request, response));
    this.io = new Server(this.#http, { cors: { origin: '*' }, ...options });
    this.io.use(({ handshake }, next) => {
      const { token } = handshake.auth;
      this.attempts.push({ token });
      const code = this.refusal(token);
      next(code ? Object.assign(new Error('refused'), { data: { code } }) : undefined);
    });
    this.io.on('connection', (socket) => {
      socket.on('disconnect', (reason) => this.left.push(reason));
      socket.on('get_online_users', () => socket.emit('online_users_list', { users: [] }));
      socket.on('message', ({ text }, acknowledge) => this.onMessage(text, acknowledge));
    });
  }

  static async start(options: Partial<ServerOptions> = {}): Promise<OfficialServer> {
    const server = new OfficialServer(options);
    server.#http.listen(0, '127.0.0.1');
    await once(server.#http, 'listening');
    return server;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How many are in. */
  get connected(): number {
    return this.io.sockets.sockets.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.closeAllConnections();
    await this.io.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', '*, authorization');
    if (request.method === 'OPTIONS') {
      response.writeHead(204).end();
      return;
    }
    const token = request.headers.authorization?.replace(/^Bearer /, '');
    this.polls.push({ token });
    const code = this.refusal(token);
    response.writeHead(code ? 401 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(code ? { error: 'refused', code } : { users: [] }));
  }
}
