/** A server of ours with visitors online, in processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Opened {
  readonly url: string;
  readonly tenant: string;
  readonly key: string;
  readonly users: number;
}

export class Shop {
  readonly #process: ChildProcess;
  readonly at: Opened;

  private constructor(process: ChildProcess, at: Opened) {
    this.#process = process;
    this.at = at;
  }

  /** `program` is `chat-bench`; it says where the shop is when all visitors are there. */
  static async open(program: string, server: string, visitors: number): Promise<Shop> {
    const process = spawn(program, ['shop', '--server', server, '--visitors', `${visitors}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const failed = once(process, 'exit').then(([code]) => {
      throw new Error(`${program} ended with ${code}`);
    });
    const lines = createInterface({ input: process.stdout });
    const [line] = (await Promise.race([once(lines, 'line'), failed])) as [string];
    // From here on its end is expected, or noticed by whoever looks at it.
    failed.catch(() => undefined);
    return new Shop(process, JSON.parse(line) as Opened);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const end = once(this.#process, 'exit');
    this.#process.stdin?.end();
    const [code] = (await end) as [number | null];
    if (code !== 0) throw new Error(`the shop ended with ${code}: it lost a visitor`);
  }
}
