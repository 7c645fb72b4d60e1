/** The two backends: our server, and the official one that runs the guide's code. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program } from './program.ts';

export const ADMIN_KEY = 'demo-admin-key';
export const TENANT = 'demo';

const ready = /^listening on (http:\/\/\S+)$/;

export interface Backend {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly program: Program;
  /** Ends this one as a crash does and starts another at the same address. */
  restart(): Promise<Backend>;
  [Symbol.asyncDispose](): Promise<void>;
}

export type StartBackend = (options?: BackendOptions) => Promise<Backend>;

export interface BackendOptions {
  readonly port?: number;
  /** Options of our server's command line, which the reference backend does not know. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The server's program. */
export const SERVER =
  process.env['CHAT_SERVER'] ??
  fileURLToPath(new URL('../../target/release/chat-server', import.meta.url));

export const startServer: StartBackend = ({ port = 0, args = [], env } = {}) =>
  start(startServer, { args, env }, () => ({
    command: SERVER,
    args: ['--listen', `127.0.0.1:${port}`, ...args],
    ...(env && { env }),
  }));

export const startReference: StartBackend = ({ port = 0, env = {} } = {}) =>
  start(startReference, { env }, () => ({
    command: process.execPath,
    args: [fileURLToPath(new URL('../reference-backend/server.mjs', import.meta.url))],
    env: { ...env, LISTEN: `127.0.0.1:${port}` },
  }));

async function start(
  again: StartBackend,
  options: BackendOptions,
  launch: () => { command: string; args: string[]; env?: Readonly<Record<string, string>> },
): Promise<Backend> {
  const program = await Program.start({ ...launch(), ready });
  const url = program.said;
  return {
    url,
    program,
    async restart() {
      await program.kill();
      return again({ ...options, port: Number(new URL(url).port) });
    },
    [Symbol.asyncDispose]: () => program.kill(),
  };
}

/** A tenants file of our server, in a directory that goes with it. */
export async function tenantsFile(
  toml: string,
): Promise<{ readonly path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'chat-tenants-'));
  const path = join(directory, 'tenants.toml');
  await writeFile(path, toml);
  return { path, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}
