/** Programs that run to their end. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program and resolves with what it printed; a failure rejects and tells all of it. */
export function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Output> {
  return execute(command, args, {
    cwd,
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
}

export const npm = (args: readonly string[], cwd: string): Promise<Output> =>
  run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, cwd);
