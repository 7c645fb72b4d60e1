/** One of the nodes that share a Redis: the one place that knows how a node is made. */
import { fileURLToPath } from 'node:url';
import { ADMIN_KEY, type Backend, startServer, TENANT } from './backends.ts';
import type { OnlineUser } from './official-client.ts';
import { onFreePort } from './port.ts';
import { until } from './until.ts';

export interface NodeOptions {
  readonly redisUrl: string;
  /** In milliseconds. */
  readonly grace: number;
  /** In milliseconds. */
  readonly lease: number;
  readonly args?: readonly string[];
}

/** Lets a node notice soon that Redis is away. */
const SETTINGS = fileURLToPath(new URL('../cluster/settings.toml', import.meta.url));

export class Node {
  readonly name: string;
  readonly port: number;
  readonly #options: NodeOptions;
  #server: Backend;

  private constructor(name: string, port: number, options: NodeOptions, server: Backend) {
    this.name = name;
    this.port = port;
    this.#options = options;
    this.#server = server;
  }

  static async start(name: string, options: NodeOptions): Promise<Node> {
    return onFreePort(async (port) => new Node(name, port, options, await launch(port, options)));
  }

  get url(): string {
    return this.#server.url;
  }

  /** What it has logged since it was started last. */
  get output(): string {
    return this.#server.program.output;
  }

  freeze(): void {
    this.#server.program.freeze();
  }

  thaw(): void {
    this.#server.program.thaw();
  }

  kill(): Promise<void> {
    return this.#server.program.kill();
  }

  /** Asks it to stop and resolves with its exit code. */
  stop(): Promise<number | null> {
    return this.#server.program.stop();
  }

  /** Starts it again at its address, after it has ended. */
  async startAgain(): Promise<void> {
    this.#server = await launch(this.port, this.#options);
    await this.ready();
  }

  /** Resolves when it and what it depends on are there. */
  ready(): Promise<true> {
    return until(`${this.name} to be ready`, async () => (await this.#readiness()) === 200);
  }

  /** Resolves when it says that something it depends on is not there. */
  unready(): Promise<true> {
    return until(`${this.name} to be unready`, async () => (await this.#readiness()) === 503);
  }

  /** Who is online, by its HTTP interface. */
  async onlineUsers(): Promise<OnlineUser[]> {
    const response = await fetch(`${this.url}/api/chat/online-users?tenantId=${TENANT}`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    if (!response.ok) throw new Error(`${this.name} answered ${response.status}`);
    return ((await response.json()) as { users: OnlineUser[] }).users;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  async #readiness(): Promise<number> {
    const { status } = await fetch(`${this.url}/readyz`);
    return status;
  }
}

function launch(port: number, options: NodeOptions): Promise<Backend> {
  const { redisUrl, grace, lease, args = [] } = options;
  return startServer({
    port,
    args: [
      ...['--redis-url', redisUrl, '--config', SETTINGS],
      ...['--offline-grace', `${grace}ms`, '--lease', `${lease}ms`, ...args],
    ],
  });
}
