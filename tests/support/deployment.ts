/** The files of `examples/deploy`, and what they have to agree with. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SERVER } from './backends.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const DEPLOY = join(ROOT, 'examples/deploy');
export const FIXTURES = fileURLToPath(new URL('../deploy/fixtures/', import.meta.url));

/** A secret long enough for the server to take without remark. */
export const SECRET = 'a secret of the deployment tests, long enough';

export const deployed = (name: string): Promise<string> => readFile(join(DEPLOY, name), 'utf8');

/** A program of the machine, under the variable by which `cargo xtask test` names it. */
export const tool = (name: string, variable: string): string => process.env[variable] ?? name;

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever that is. A program that is not there is an error that says how to get it. */
export function ended(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') return reject(explained(error, command));
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** The error of a program that could not be started, with the way out. */
export function explained(error: unknown, command: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return error;
  return new Error(`${command} is missing: \`cargo xtask test\` installs it on Debian as root`, {
    cause: error,
  });
}

/** A directory that goes with the test. */
export async function scratch(): Promise<{
  readonly path: string;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const path = await mkdtemp(join(tmpdir(), 'chat-deploy-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The operator's files as the instructions make them: the examples, filled in. */
export async function operatorsFiles(directory: string): Promise<void> {
  await cp(join(DEPLOY, 'config'), directory, { recursive: true });
  await cp(join(directory, 'tenants.example.toml'), join(directory, 'tenants.toml'));
  const secrets = await deployed('secrets.example.env');
  await writeFile(
    join(directory, 'secrets.env'),
    secrets.replace(/^JWT_SECRET=$/m, `JWT_SECRET=${SECRET}`),
  );
}

/** `NAME=value` lines. */
export function variables(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf('=');
      if (at < 1) throw new Error(`not a variable: ${line}`);
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

/** What the server would do with these options, in an environment that holds nothing but these variables. */
export const checkConfig = (
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended> => ended(SERVER, ['check-config', ...args], { env: { ...env } });

/** The variables that a report of `check-config` says its values come from. */
export function sources(report: string): Set<string> {
  return new Set([...report.matchAll(/^--\S+ .*# ([A-Z_]+)$/gm)].map(([, name]) => name ?? ''));
}

/** The parts of the server that the program says it can run as. */
export async function roles(): Promise<Set<string>> {
  const { stdout } = await ended(SERVER, ['--help']);
  return new Set([...stdout.matchAll(/^ +- ([a-z-]+): /gm)].map(([, role]) => role ?? ''));
}

/** A value of the settings' defaults: a number, or a duration in seconds. */
export async function setting(section: string, name: string): Promise<number> {
  const text = await readFile(join(ROOT, 'server/src/config/config.default.toml'), 'utf8');
  const [, body] = text.split(`\n[${section}]\n`);
  const value = new RegExp(`^${name} = "?(\\d+)(s|m)?"?$`, 'm').exec(body?.split('\n[')[0] ?? '');
  if (!value) throw new Error(`no ${section}.${name} among the defaults`);
  return Number(value[1]) * (value[2] === 'm' ? 60 : 1);
}

/** The longest that the program takes to end: what it promises those who stop it. */
export const LONGEST_STOP_SECONDS = 10;
