/** The compose file: whether what it starts is confined, bounded and watched, and whether the programs take what it says. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  checkConfig,
  deployed,
  ended,
  explained,
  LONGEST_STOP_SECONDS,
  operatorsFiles,
  roles,
  ROOT,
  scratch,
  setting,
  sources,
  tool,
  variables,
} from '../support/deployment.ts';
import { Program } from '../support/program.ts';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly user: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly restart: string;
  readonly stop_grace_period: string;
  readonly command: readonly string[];
  readonly env_file?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly ulimits: { readonly nofile: number };
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly deploy: { readonly resources: { readonly limits: { cpus: string; memory: string } } };
  readonly logging: { readonly driver: string; readonly options: Record<string, string> };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, object>>;
}

/** Of the specification: what stands here. Anything else is a slip, or wants a check of its own. */
const KNOWN = [
  ...['build', 'cap_drop', 'command', 'depends_on', 'deploy', 'env_file', 'environment'],
  ...['healthcheck', 'image', 'logging', 'networks', 'ports', 'read_only', 'restart'],
  ...['security_opt', 'stop_grace_period', 'ulimits', 'user', 'volumes'],
];

const CONFIG = '/etc/chat-server';

const compose = parse(await deployed('compose.yaml'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const servers = services.filter(([, service]) => service.build !== undefined);
const redis = compose.services['redis'] as Service;

let directory: Awaited<ReturnType<typeof scratch>>;

beforeAll(async () => {
  directory = await scratch();
  await operatorsFiles(directory.path);
});

afterAll(() => directory[Symbol.asyncDispose]());

test('there is one gateway, two of each kind behind it, and Redis', () => {
  expect(servers.map(([name, { command }]) => [name, ...command])).toEqual([
    ['gateway', 'gateway'],
    ['ws-1', 'ws'],
    ['ws-2', 'ws'],
    ['api-1', 'api'],
    ['api-2', 'api'],
  ]);
  expect(services.map(([name]) => name)).toEqual([...servers.map(([name]) => name), 'redis']);
});

describe.each(services)('%s', (_, service) => {
  test('says nothing that is not understood', () => {
    expect(Object.keys(service).filter((key) => !KNOWN.includes(key))).toEqual([]);
    expect(service.networks.filter((network) => !(network in compose.networks))).toEqual([]);
    expect(
      Object.keys(service.depends_on ?? {}).filter((name) => !(name in compose.services)),
    ).toEqual([]);
  });

  test('runs a named version, as nobody, and can change nothing', () => {
    expect(service.image).toMatch(/^[a-z-]+:\d+\.\d+/);
    expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
  });

  test('is watched, bounded and started again', async () => {
    const ofImage = service.build && /^HEALTHCHECK /m.test(await deployed('Dockerfile'));
    expect(ofImage || service.healthcheck?.test[0] === 'CMD').toBe(true);
    expect(service.restart).toBe('unless-stopped');
    expect(service.deploy.resources.limits).toEqual({
      cpus: expect.stringMatching(/^\d+\.\d$/),
      memory: expect.stringMatching(/^\d+[MG]$/),
    });
    expect(service.logging.options).toHaveProperty('max-size');
  });
});

describe.each(servers)('%s', (name, service) => {
  test('is built from this checkout, in its version', async () => {
    expect(service.build).toEqual({ context: '../..', dockerfile: 'examples/deploy/Dockerfile' });
    const cargo = await readFile(join(ROOT, 'Cargo.toml'), 'utf8');
    expect(service.image).toBe(`chat-server:${/^version = "(.+)"$/m.exec(cargo)?.[1]}`);
  });

  test('has the time to stop and the descriptors to serve', async () => {
    expect(Number.parseInt(service.stop_grace_period, 10)).toBeGreaterThan(LONGEST_STOP_SECONDS);
    // The gateway holds one towards the client and one towards a server.
    expect(service.ulimits.nofile).toBeGreaterThan(2 * (await setting('connections', 'tcp')));
  });

  test('is given only what the program knows, and all of it can be used', async () => {
    const [role = '', ...args] = service.command;
    expect(await roles()).toContain(role);
    expect(service.env_file).toBe('secrets.env');
    expect(service.volumes).toEqual([`./config:${CONFIG}:ro`]);
    const secrets = variables(await readFile(join(directory.path, 'secrets.env'), 'utf8'));
    const given = { LISTEN: '0.0.0.0:3000', ...secrets, ...here(service.environment ?? {}) };
    const report = await checkConfig(args, given);
    expect(report).toMatchObject({ code: 0, stderr: '' });
    expect([...sources(report.stdout)].sort()).toEqual(Object.keys(given).sort());
    expect(report.stdout).toContain('trust_forwarded_for = true');
  });

  test('only the gateway can be reached from outside, and only by a proxy on the same machine', () => {
    expect(service.ports ?? []).toEqual(name === 'gateway' ? ['127.0.0.1:3000:3000'] : []);
  });
});

test('secrets that were not filled in are refused', async () => {
  const given = variables(await deployed('secrets.example.env'));
  const report = await checkConfig([], { ...given, LISTEN: '127.0.0.1:0' });
  expect(report).toMatchObject({ code: 2, stderr: expect.stringContaining('--jwt-secret') });
});

test('nobody has the key of the example tenant', async () => {
  const tenants = await deployed('config/tenants.example.toml');
  expect(tenants).toMatch(/^admin_keys = \["sha256:0{64}"\]$/m);
});

test('the gateway knows every server behind it, and nothing else', () => {
  const environment = compose.services['gateway']?.environment ?? {};
  for (const [kind, variable] of [
    ['ws', 'BACKEND_WS_URL'],
    ['api', 'BACKEND_API_URL'],
  ] as const) {
    const behind = servers.filter(([, { command }]) => command[0] === kind);
    const urls = behind.map(([name]) => `http://${name}:3000`);
    expect(environment[variable]?.split(',')).toEqual(urls);
  }
});

test('Redis is out of reach of all but the servers that use it', () => {
  const [network, ...further] = redis.networks;
  expect(further).toEqual([]);
  expect(compose.networks[network ?? '']).toEqual({ internal: true });
  const users = services.filter(([, service]) => service.networks.includes(network ?? ''));
  const using = services.filter(([, { environment }]) => environment?.['REDIS_URL']);
  expect(users.map(([name]) => name)).toEqual([...using.map(([name]) => name), 'redis']);
  for (const [, { environment }] of using) {
    expect(environment?.['REDIS_URL']).toBe('redis://redis:6379');
  }
  expect(redis.ports).toBeUndefined();
});

test('Redis takes its options: it keeps a log, evicts nothing and fits into its memory', async () => {
  const [program, ...options] = redis.command;
  expect(program).toBe('redis-server');
  const command = tool('redis-server', 'REDIS_SERVER');
  const socket = join(directory.path, 'redis.sock');
  await using _running = await Program.start({
    command,
    args: [...options, '--dir', directory.path, '--port', '0', '--unixsocket', socket],
    ready: /(eady to accept connections)/,
  }).catch((error: unknown) => Promise.reject(explained(error, command)));
  const store = new Redis({ path: socket });
  const config = async (name: string): Promise<string | undefined> =>
    ((await store.config('GET', name)) as string[])[1];
  expect(await config('appendonly')).toBe('yes');
  expect(await config('appendfsync')).toBe('everysec');
  expect(await config('save')).toBe('');
  expect(await config('maxmemory-policy')).toBe('noeviction');
  const limit = redis.deploy.resources.limits.memory;
  expect(limit).toMatch(/^\d+G$/);
  expect(Number.parseInt(limit, 10) * 2 ** 30).toBeGreaterThanOrEqual(
    2 * Number(await config('maxmemory')),
  );
  const health = redis.healthcheck?.test ?? [];
  expect(health.slice(0, 2)).toEqual(['CMD', 'redis-cli']);
  const ask = () => ended('redis-cli', ['-s', socket, ...health.slice(2)]);
  expect(await ask()).toMatchObject({ code: 0, stdout: 'PONG\n' });
  await store.config('SET', 'requirepass', 'changed');
  expect((await ask()).code).not.toBe(0);
  store.disconnect();
});

/** The same variables, with the operator's files where they are here. */
function here(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.startsWith(`${CONFIG}/`) ? join(directory.path, value.slice(CONFIG.length)) : value,
    ]),
  );
}
