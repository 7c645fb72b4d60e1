/** The gateway over HTTPS, with a certificate of its own making. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Backend, startGateway, startServer } from '../support/backends.ts';
import { OfficialClient, TRANSPORTS } from '../support/official-client.ts';
import { run } from '../support/run.ts';

let directory: string;
let server: Backend;
let gateway: Backend;
let ca: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'chat-tls-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const named = ['-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await run('openssl', [...made, '-keyout', key, '-out', cert, ...named], directory);
  ca = await readFile(cert, 'utf8');
  server = await startServer();
  gateway = await startGateway({
    api: [server.url],
    args: ['--tls-cert', cert],
    env: { TLS_KEY: key },
  });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

test('it says where it is', () => {
  expect(gateway.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
});

describe.each(Object.entries(TRANSPORTS))('%s', (_kind, transport) => {
  test('clients come in, and are refused, as without it', async () => {
    const socket = { ...transport, ca };
    using admin = await OfficialClient.admin(gateway.url, { socket });
    using visitor = await OfficialClient.visitor(gateway.url, 'over-tls', { socket });
    expect(await visitor.send('x'.repeat(5000))).toHaveProperty('messageId');
    expect(await admin.list()).toContainEqual(
      expect.objectContaining({ userId: 'anonymous-over-tls' }),
    );
    visitor.close();
    await admin.offline('anonymous-over-tls');
    using stranger = OfficialClient.open(gateway.url, {
      query: { role: 'admin' },
      auth: { token: 'guessed' },
      socket,
    });
    expect((await stranger.refused()).data).toEqual({ code: 'INVALID_API_KEY' });
  });
});
