/** The systemd unit and the files that tell its processes what they are. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SERVER } from '../support/backends.ts';
import {
  checkConfig,
  deployed,
  ended,
  LONGEST_STOP_SECONDS,
  operatorsFiles,
  roles,
  scratch,
  setting,
  sources,
  tool,
  variables,
} from '../support/deployment.ts';

/** Of 10, and 0 is best; what an HTTP server cannot do without comes to 1.2. */
const EXPOSURE = 1.5;

const PROCESSES = ['gateway', 'ws-1', 'ws-2', 'api-1', 'api-2'];

let directory: Awaited<ReturnType<typeof scratch>>;
let unit: string;

beforeAll(async () => {
  directory = await scratch();
  await operatorsFiles(directory.path);
  unit = await deployed('systemd/chat-server@.service');
});

afterAll(() => directory[Symbol.asyncDispose]());

const analyze = (args: readonly string[]) =>
  ended(tool('systemd-analyze', 'SYSTEMD_ANALYZE'), args);

test('systemd understands every line of the unit', async () => {
  const path = join(directory.path, 'chat-server@.service');
  await writeFile(path, unit.replace('/usr/local/bin/chat-server', SERVER));
  expect(await analyze(['verify', '--man=no', path])).toMatchObject({ code: 0, stderr: '' });
});

test('a process of the unit is confined', async () => {
  const path = join(directory.path, 'chat-server@.service');
  await writeFile(path, unit);
  const threshold = `--threshold=${EXPOSURE * 10}`;
  const judged = await analyze(['security', '--offline=true', '--no-pager', threshold, path]);
  expect(judged.stdout).toContain('Overall exposure level');
  expect(judged).toMatchObject({ code: 0 });
});

test('it has the time to stop and the descriptors to serve', async () => {
  expect(seconds(value('TimeoutStopSec'))).toBeGreaterThan(LONGEST_STOP_SECONDS);
  // The gateway holds one towards the client and one towards a server.
  expect(Number(value('LimitNOFILE'))).toBeGreaterThan(2 * (await setting('connections', 'tcp')));
});

test('a reload is the signal on which the server reads its tenants again', () => {
  expect(value('ExecReload')).toBe('/bin/kill -HUP $MAINPID');
});

test('a configuration that cannot be used is not tried again and again', async () => {
  const refused = await checkConfig([], { TENANTS_FILE: '/no/such/file' });
  expect(refused.code).toBe(Number(value('RestartPreventExitStatus')));
});

test('its user is the one that is made for it', async () => {
  const made = await deployed('systemd/chat-server.sysusers.conf');
  expect(made).toMatch(new RegExp(`^u ${value('User')} - `, 'm'));
  expect(value('Group')).toBe(value('User'));
});

describe.each(PROCESSES)('%s', (name) => {
  test('is given only what the program knows, and all of it can be used', async () => {
    const { ROLE, ...given } = await environment(name);
    expect(value('ExecStart')).toBe('/usr/local/bin/chat-server ${ROLE}');
    expect(ROLE).toBe(name.split('-')[0]);
    expect(await roles()).toContain(ROLE);
    const report = await checkConfig([], given);
    expect(report).toMatchObject({ code: 0, stderr: '' });
    expect([...sources(report.stdout)].sort()).toEqual(Object.keys(given).sort());
  });
});

test('the gateway knows where the servers behind it listen, and no two are at one place', async () => {
  const all = await Promise.all(PROCESSES.map(environment));
  const listening = (role: string) =>
    all.filter(({ ROLE }) => ROLE === role).map(({ LISTEN }) => `http://${LISTEN}`);
  const gateway = all.find(({ ROLE }) => ROLE === 'gateway');
  expect(gateway?.['BACKEND_WS_URL']?.split(',')).toEqual(listening('ws'));
  expect(gateway?.['BACKEND_API_URL']?.split(',')).toEqual(listening('api'));
  expect(new Set(all.map(({ LISTEN }) => LISTEN)).size).toBe(PROCESSES.length);
});

/** What systemd would give a process, with the operator's files where they are here. */
async function environment(name: string): Promise<Record<string, string>> {
  const files = values('EnvironmentFile');
  expect(files).toEqual(['-/etc/chat-server/secrets.env', '/etc/chat-server/%i.env']);
  const own = values('Environment').flatMap((line) => line.split(' '));
  const secrets = await readFile(join(directory.path, 'secrets.env'), 'utf8');
  const texts = [own.join('\n'), secrets, await deployed(`systemd/${name}.env`)];
  const merged = Object.assign({}, ...texts.map(variables)) as Record<string, string>;
  return Object.fromEntries(
    Object.entries(merged).map(([key, value]) => [
      key,
      value.replace('/etc/chat-server', directory.path),
    ]),
  );
}

function values(key: string): string[] {
  return [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value ?? '');
}

function value(key: string): string {
  const [only, ...further] = values(key);
  if (only === undefined || further.length > 0) throw new Error(`not one ${key}`);
  return only;
}

const seconds = (text: string): number => Number(/^(\d+)s$/.exec(text)?.[1]);
