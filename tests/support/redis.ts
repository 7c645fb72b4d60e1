/** A real Redis, empty, on a port of its own, that can be taken away and brought back. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, Redis, type RedisOptions } from 'ioredis';
import { onFreePort } from './port.ts';
import { Program } from './program.ts';

const COMMAND = process.env['REDIS_SERVER'] ?? 'redis-server';

/** What nodes share: one Redis, several behind Sentinel, or a cluster. */
export interface SharedRedis {
  /** What the nodes are told. */
  readonly url: string;
  /** A connection to it. */
  readonly store: Redis | Cluster;
  [Symbol.asyncDispose](): Promise<void>;
}

/** For connections that outlive what they are connected to. */
export const PATIENT = {
  retryStrategy: () => 50,
  maxRetriesPerRequest: null,
} satisfies RedisOptions;

export class RedisServer implements SharedRedis {
  readonly url: string;
  readonly store: Redis;
  readonly port: number;
  readonly #directory: string;
  readonly #args: readonly string[];
  #program: Program;

  private constructor(port: number, program: Program, directory: string, args: readonly string[]) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.store = new Redis(this.url, PATIENT);
    // That it is away is the tests' doing; without a listener the library prints it.
    this.store.on('error', () => undefined);
    this.#program = program;
    this.#directory = directory;
    this.#args = args;
  }

  /** Starts one with these further options. */
  static async start(args: readonly string[] = []): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), 'chat-redis-'));
    return onFreePort(async (port) => {
      const program = await launch(port, directory, args);
      return new RedisServer(port, program, directory, args);
    });
  }

  freeze(): void {
    this.#program.freeze();
  }

  thaw(): void {
    this.#program.thaw();
  }

  /** Ends it as a crash does, with all it knew. */
  kill(): Promise<void> {
    return this.#program.kill();
  }

  /** Ends it in order, without saving anything. */
  async shutDown(): Promise<void> {
    await this.#program.stop();
  }

  /** Starts it again where it was. */
  async revive(): Promise<void> {
    this.#program = await launch(this.port, this.#directory, this.#args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store.disconnect();
    await this.#program[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true });
  }
}

/** Starts a Redis program with any options, in the manner of `redis-server FILE --option …`. */
export async function redisProgram(args: readonly string[], ready: RegExp): Promise<Program> {
  try {
    return await Program.start({ command: COMMAND, args, ready });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new Error('redis-server is missing: `cargo xtask test` installs it', { cause });
  }
}

const launch = (port: number, directory: string, args: readonly string[]): Promise<Program> =>
  redisProgram(
    [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory],
      ...['--save', '', '--appendonly', 'no', ...args],
    ],
    /(eady to accept connections)/,
  );
