/** Programs that run beside a test: started on a free port, ready when they say so, ended with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const running = new Set<ChildProcess>();

// A worker that is torn down in the middle of a test runs no hooks.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Launch {
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Its first group is what the program says once it is ready. */
  readonly ready: RegExp;
}

export class Program {
  readonly #child: ChildProcess;
  readonly #output: string[] = [];
  /** What the ready line said. */
  readonly said: string;

  private constructor(child: ChildProcess, said: string, output: string[]) {
    this.#child = child;
    this.said = said;
    this.#output = output;
  }

  static async start({ command, args = [], env = {}, cwd, ready }: Launch): Promise<Program> {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    // One that could not be started never ends.
    child.once('error', () => running.delete(child));
    const output: string[] = [];
    const said = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        const end = code ?? signal;
        reject(new Error(`${command} ended (${end}) before it was ready:\n${output.join('\n')}`));
      });
      for (const stream of [child.stdout, child.stderr]) {
        if (!stream) continue;
        createInterface({ input: stream }).on('line', (line) => {
          output.push(line);
          const match = ready.exec(line);
          if (match) resolve(match[1] ?? '');
        });
      }
    });
    return new Program(child, said, output);
  }

  /** Everything printed so far, for a failing test to show. */
  get output(): string {
    return this.#output.join('\n');
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks the program to end and resolves with its exit code. */
  stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  /** Lets it stand still: its connections stay open, and nothing answers. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Lets it go on. */
  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await once(child, 'exit');
    }
    return child.exitCode;
  }
}

export async function endAllPrograms(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }),
  );
}
