/** A real Redis, empty, on a port of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './port.ts';
import { Program } from './program.ts';

const COMMAND = process.env['REDIS_SERVER'] ?? 'redis-server';
const ATTEMPTS = 5;

export class RedisServer {
  readonly url: string;
  /** A connection to it. */
  readonly store: Redis;
  readonly #program: Program;
  readonly #directory: string;

  private constructor(url: string, program: Program, directory: string) {
    this.url = url;
    this.store = new Redis(url);
    this.#program = program;
    this.#directory = directory;
  }

  static async start(): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), 'chat-redis-'));
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      try {
        const program = await Program.start({
          command: COMMAND,
          args: [
            ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory],
            ...['--save', '', '--appendonly', 'no'],
          ],
          ready: /(eady to accept connections)/,
        });
        return new RedisServer(`redis://127.0.0.1:${port}`, program, directory);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
          throw new Error('redis-server is missing: `cargo xtask test` installs it', { cause });
        }
        // Somebody else may have taken the port in the meantime.
        if (attempt === ATTEMPTS) throw cause;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store.disconnect();
    await this.#program[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true });
  }
}
