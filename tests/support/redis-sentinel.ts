/** A real Redis with a replica, watched by three real Sentinels. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onFreePort } from './port.ts';
import type { Program } from './program.ts';
import { PATIENT, RedisServer, redisProgram, type SharedRedis } from './redis.ts';
import { until } from './until.ts';

const NAME = 'mymaster';
const QUORUM = 2;

export class RedisSentinel implements SharedRedis {
  readonly url: string;
  /** The first master, and the one that follows it. */
  readonly servers: readonly [RedisServer, RedisServer];
  readonly #sentinels: readonly Sentinel[];
  #master: RedisServer;

  private constructor(
    servers: readonly [RedisServer, RedisServer],
    sentinels: readonly Sentinel[],
  ) {
    this.servers = servers;
    this.#sentinels = sentinels;
    const addresses = sentinels.map(({ port }) => `127.0.0.1:${port}`);
    this.url = `redis-sentinel://${addresses.join(',')}/${NAME}`;
    this.#master = servers[0];
  }

  /** Starts all five, and resolves when the Sentinels know each other and the replica. */
  static async start(): Promise<RedisSentinel> {
    const master = await RedisServer.start();
    const replica = await RedisServer.start(['--replicaof', '127.0.0.1', String(master.port)]);
    const sentinels = await Promise.all([1, 2, 3].map(() => Sentinel.start(master.port)));
    await until('the replica to follow', async () =>
      (await replica.store.info('replication')).includes('master_link_status:up'),
    );
    await until('the Sentinels to know each other', async () => {
      const known = await Promise.all(sentinels.map((sentinel) => sentinel.master()));
      return known.every(
        (master) => master.get('num-other-sentinels') === '2' && master.get('num-slaves') === '1',
      );
    });
    return new RedisSentinel([master, replica], sentinels);
  }

  /** A connection to the master, as far as the test has waited for it. */
  get store(): Redis {
    return this.#master.store;
  }

  /** Asks for another master. */
  async failOver(): Promise<void> {
    await this.#sentinels[0]?.failOver();
  }

  /** Resolves when all Sentinels name this one as the master. */
  async names(server: RedisServer): Promise<void> {
    await until('the Sentinels to agree', async () => {
      const masters = await Promise.all(this.#sentinels.map((sentinel) => sentinel.master()));
      return masters.every((master) => master.get('port') === String(server.port));
    });
    this.#master = server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const parts = [...this.#sentinels, ...this.servers];
    await Promise.all(parts.map((part) => part[Symbol.asyncDispose]()));
  }
}

class Sentinel {
  readonly port: number;
  readonly #program: Program;
  readonly #directory: string;
  readonly #store: Redis;

  private constructor(port: number, program: Program, directory: string) {
    this.port = port;
    this.#program = program;
    this.#directory = directory;
    this.#store = new Redis({ port, ...PATIENT });
    this.#store.on('error', () => undefined);
  }

  static async start(master: number): Promise<Sentinel> {
    const directory = await mkdtemp(join(tmpdir(), 'chat-sentinel-'));
    const file = join(directory, 'sentinel.conf');
    const lines = [
      'bind 127.0.0.1',
      `dir ${directory}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${master} ${QUORUM}`,
      `sentinel down-after-milliseconds ${NAME} 1000`,
      `sentinel failover-timeout ${NAME} 5000`,
    ];
    return onFreePort(async (port) => {
      await writeFile(file, `${[`port ${port}`, ...lines].join('\n')}\n`);
      const program = await redisProgram([file, '--sentinel'], /(\+monitor master)/);
      return new Sentinel(port, program, directory);
    });
  }

  /** What it knows of the master, field by field. */
  async master(): Promise<ReadonlyMap<string, string>> {
    const fields = (await this.#store.call('SENTINEL', 'MASTER', NAME)) as string[];
    const pairs = fields.flatMap((field, index) =>
      index % 2 === 0 ? [[field, fields[index + 1] ?? ''] as const] : [],
    );
    return new Map(pairs);
  }

  async failOver(): Promise<void> {
    await this.#store.call('SENTINEL', 'FAILOVER', NAME);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#store.disconnect();
    await this.#program[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true });
  }
}
