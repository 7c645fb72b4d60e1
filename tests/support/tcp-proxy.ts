/**
 * A network between a client and a server of TCP, which can fail in the ways networks do: it cuts connections, swallows what is
 * sent while they stay open, both ways or only on the way back, or is slow. With several targets it is a load balancer: each connection goes to the next one that
 * accepts it.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

type Condition = 'open' | 'cut' | 'silent' | 'one-way';

export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #targets: readonly number[];
  readonly #sockets = new Set<Socket>();
  /** Those of them that lead to a target. */
  readonly #onward = new WeakSet<Socket>();
  #condition: Condition = 'open';
  #delay = 0;
  #turn = 0;
  /** Connections that came in while nothing was forwarded. */
  #waiting: Socket[] = [];

  private constructor(server: Server, targets: readonly number[]) {
    this.#server = server;
    this.#targets = targets;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.#accept(client));
  }

  /** A proxy to these ports of this machine. */
  static async start(...targets: readonly number[]): Promise<TcpProxy> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, targets);
  }

  /** Ends all connections, and each new one at once. */
  cut(): void {
    this.#condition = 'cut';
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Forwards nothing any more, though all connections stay open and new ones are accepted. */
  blackhole(): void {
    this.#condition = 'silent';
    for (const socket of this.#sockets) socket.pause();
  }

  /** Forwards what clients send, and nothing that they are answered. */
  swallowAnswers(): void {
    this.#condition = 'one-way';
    for (const socket of this.#sockets) if (this.#onward.has(socket)) socket.pause();
  }

  /** Lets everything take this much longer, each way. */
  delay(milliseconds: number): void {
    this.#delay = milliseconds;
  }

  /** Is a good network again. What was swallowed arrives late, as TCP sends it again. */
  mend(): void {
    this.#condition = 'open';
    this.#delay = 0;
    for (const socket of this.#sockets) socket.resume();
    for (const client of this.#waiting.splice(0)) this.#forward(client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(client: Socket): void {
    this.#keep(client);
    switch (this.#condition) {
      case 'open':
      case 'one-way':
        this.#forward(client);
        break;
      case 'cut':
        client.resetAndDestroy();
        break;
      case 'silent':
        this.#waiting.push(client);
        break;
    }
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // A broken connection closes; there is nothing else to do about it.
    socket.on('error', () => undefined);
  }

  /**
   * Connects to the next target, or the first one after it that accepts. Others whose turn it is meanwhile do not change which
   * are tried: each target once.
   */
  #forward(client: Socket, first = this.#turn++, refusals = 0): void {
    const target = this.#targets[(first + refusals) % this.#targets.length];
    if (target === undefined || refusals === this.#targets.length) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: target, host: '127.0.0.1', noDelay: true });
    const refused = (): void => this.#forward(client, first, refusals + 1);
    server.once('error', refused);
    server.once('connect', () => {
      server.off('error', refused);
      this.#keep(server);
      this.#onward.add(server);
      this.#carry(client, server);
      this.#carry(server, client);
      if (this.#condition === 'silent') [client, server].forEach((socket) => socket.pause());
      if (this.#condition === 'one-way') server.pause();
      if (this.#condition === 'cut' || client.destroyed) server.resetAndDestroy();
    });
  }

  /** Passes on what comes, in order, each piece as late as the network is slow when it comes. */
  #carry(from: Socket, to: Socket): void {
    let earlier: Promise<unknown> = Promise.resolve();
    const inOrder = (act: () => void): void => {
      const late = this.#delay > 0 ? pause(this.#delay) : undefined;
      earlier = Promise.all([earlier, late]).then(() => {
        if (!to.destroyed) act();
      });
    };
    from.on('data', (chunk) => inOrder(() => to.write(chunk)));
    from.once('end', () => inOrder(() => to.end()));
    from.once('close', (broken) => broken && to.resetAndDestroy());
  }
}
