/** The processes of the compose file, without containers: each with the role, the variables and the files that it is given there. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFailed, test } from 'vitest';
import { parse } from 'yaml';
import { type Backend, startServer } from '../support/backends.ts';
import { deployed, operatorsFiles, scratch, variables } from '../support/deployment.ts';
import { OfficialClient, TRANSPORTS } from '../support/official-client.ts';
import { RedisServer } from '../support/redis.ts';
import { until } from '../support/until.ts';

const KEY = 'a key that the operator made';
const CONFIG = '/etc/chat-server';
const TENANT = '42';

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
}

interface Service {
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

test('visitors and staff meet behind the gateway, over sockets and over HTTP', async () => {
  await using files = await scratch();
  await operatorsFiles(files.path);
  await withTheKey(join(files.path, 'tenants.toml'));
  const { services } = parse(await deployed('compose.yaml'), { merge: true }) as Compose;
  const secrets = variables(await readFile(join(files.path, 'secrets.env'), 'utf8'));
  await using redis = await RedisServer.start();
  /** Where things are here, by where they are in the file. */
  const places = new Map([
    ['redis://redis:6379', redis.url],
    [CONFIG, files.path],
  ]);
  const here = (value: string): string =>
    [...places].reduce((text, [there, place]) => text.replace(there, place), value);
  const start = async (name: string): Promise<Backend> => {
    const { command = [], environment = {} } = services[name] ?? {};
    const given = Object.entries(environment).map(([key, value]) => [key, here(value)]);
    const env = { ...secrets, ...Object.fromEntries(given) } as Record<string, string>;
    const server = await startServer({ args: command, env });
    places.set(`http://${name}:3000`, server.url);
    return server;
  };
  const behind = await Promise.all(
    Object.keys(services)
      .filter((name) => /^(ws|api)-/.test(name))
      .map(start),
  );
  const gateway = await start('gateway');
  onTestFailed(() => {
    for (const { program } of [gateway, ...behind]) console.error(`${program.output}\n`);
  });
  await until('the gateway', async () => (await fetch(`${gateway.url}/readyz`)).ok);

  const origin = (url: string, address: string) => ({
    extraHeaders: { origin: url, 'x-forwarded-for': address },
  });
  using staff = await OfficialClient.admin(gateway.url, {
    tenantId: TENANT,
    auth: { token: KEY },
    socket: origin('https://admin.shop.example', '192.0.2.1'),
  });
  for (const [kind, transport] of Object.entries(TRANSPORTS)) {
    const name = kind.replaceAll(/\W/g, '-');
    using visitor = await OfficialClient.visitor(gateway.url, name, {
      tenantId: TENANT,
      socket: { ...transport, ...origin('https://shop.example', '203.0.113.7') },
    });
    const { sessionId } = await staff.online(`anonymous-${name}`);
    expect(sessionId).toBe(visitor.id);
    await staff.send(`Hello ${name}`, { sessionId });
    const { message } = await visitor.first<{ message: { text: string } }>('meta_message_created');
    expect(message.text).toBe(`Hello ${name}`);
  }
  const listed = await fetch(`${gateway.url}/api/chat/online-users?tenantId=${TENANT}`, {
    headers: { authorization: `Bearer ${KEY}` },
  });
  expect(listed.status).toBe(200);
  for (const server of [gateway, ...behind]) expect(await server.program.stop()).toBe(0);
});

/** Lets the example tenant have a key, as the operator does. */
async function withTheKey(path: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  const digest = createHash('sha256').update(KEY).digest('hex');
  const filled = text.replace(/sha256:0{64}/, `sha256:${digest}`);
  expect(filled).not.toBe(text);
  await writeFile(path, filled);
}
