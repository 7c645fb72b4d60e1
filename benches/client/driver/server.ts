/** A server of ours in a process of its own, with the development tenant and nobody in it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const READY = 'listening on ';

export class ChatServer {
  readonly #process: ChildProcess;
  readonly url: string;
  readonly tenant = 'demo';
  readonly #key = 'demo-admin-key';

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  static async start(program: string): Promise<ChatServer> {
    const process = spawn(program, ['--listen', '127.0.0.1:0'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const failed = once(process, 'exit').then(([code]) => {
      throw new Error(`${program} ended with ${code}`);
    });
    const lines = createInterface({ input: process.stdout });
    const [line] = (await Promise.race([once(lines, 'line'), failed])) as [string];
    // From here on its end is expected, or noticed by whoever asks it for something.
    failed.catch(() => undefined);
    if (!line.startsWith(READY)) throw new Error(`${program} says: ${line}`);
    return new ChatServer(process, line.slice(READY.length));
  }

  /** How many visitors are listed on the page with this address. */
  async visitorsOn(page: string): Promise<number> {
    const answer = await fetch(`${this.url}/api/chat/online-users?tenantId=${this.tenant}`, {
      headers: { authorization: `Bearer ${this.#key}` },
    });
    if (!answer.ok) throw new Error(`the list was answered with ${answer.status}`);
    const { users } = (await answer.json()) as { users: { url?: string }[] };
    return users.filter(({ url }) => url === page).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const end = once(this.#process, 'exit');
    this.#process.kill();
    await end;
  }
}
