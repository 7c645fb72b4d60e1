/** What a proxy in front of the server has to do, whichever it is: run against each of those in `examples/deploy`. */
import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_KEY, type Backend, startServer, TENANT } from './backends.ts';
import { scratch, setting } from './deployment.ts';
import {
  type ChatMessage,
  type ClientOptions,
  OfficialClient,
  type OnlineUser,
  TRANSPORTS,
} from './official-client.ts';
import { endAllPrograms, type Program } from './program.ts';
import { until } from './until.ts';

/** A proxy that runs. */
export interface Proxy {
  /** `https://localhost:PORT` */
  readonly url: string;
  /** The authority that vouches for its certificate. */
  readonly ca: string;
  readonly program: Program;
}

/** What it is started with: the server behind it, the widget's directory, and a directory of its own. */
export interface ProxySite {
  readonly server: string;
  readonly files: string;
  readonly directory: string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Long enough that compressing it pays. */
const WIDGET = `/* the widget's script */ ${'void 0; '.repeat(512)}`;

/** Under the names that the package publishes. */
const WIDGET_FILES = ['widget.v1.js', 'widget.v1.no-wasm.js'];

/** One socket of each address, so that it shows which address the server takes a client for. */
const SETTINGS = `
[connections]
per_address = 1
trust_forwarded_for = true
count_loopback = true
`;

/** Defines the tests. `start` starts the proxy with the configuration that is shipped. */
export function proxyTests(start: (site: ProxySite) => Promise<Proxy>): void {
  let directory: Awaited<ReturnType<typeof scratch>>;
  let server: Backend;
  let proxy: Proxy;

  const site = (behind: Backend): ProxySite => ({
    server: new URL(behind.url).host,
    files: join(directory.path, 'files'),
    directory: directory.path,
  });
  const through = (at: Proxy, options: ClientOptions['socket'] = {}): ClientOptions => ({
    socket: { ...options, ca: at.ca },
  });
  const ask = (path: string, options: Ask = {}): Promise<Answer> => send(proxy, path, options);

  beforeAll(async () => {
    directory = await scratch();
    await mkdir(join(directory.path, 'files'));
    for (const file of WIDGET_FILES) await writeFile(join(directory.path, 'files', file), WIDGET);
    server = await startServer({ args: ['--offline-grace', '50ms'] });
    proxy = await start(site(server));
  });

  afterAll(async () => {
    // Whichever of them were started.
    await endAllPrograms();
    await directory[Symbol.asyncDispose]();
  });

  for (const [kind, transports] of Object.entries(TRANSPORTS)) {
    test(`visitors and staff meet: ${kind}`, async () => {
      const options = through(proxy, transports);
      using staff = await OfficialClient.admin(proxy.url, options);
      using visitor = await OfficialClient.visitor(proxy.url, kind.replaceAll(/\W/g, ''), options);
      const wanted = transports.transports.at(-1);
      await until(
        `the transport ${wanted}`,
        () => visitor.socket.io.engine.transport.name === wanted,
      );
      const { id } = visitor;
      const { userId } = await staff.first<OnlineUser>(
        'user_online',
        ({ sessionId }) => sessionId === id,
      );
      const { messageId } = await visitor.send('Hello');
      await visitor.first<{ message: ChatMessage }>(
        'meta_message_created',
        ({ message }) => message.id === messageId,
      );
      visitor.close();
      await staff.offline(userId);
    });
  }

  test('a poll as large as the server takes comes through', async () => {
    const options = through(proxy, TRANSPORTS['polling only']);
    using visitor = await OfficialClient.visitor(proxy.url, 'verbose', options);
    const acknowledged = await visitor.send('Hello', { domain: 'x'.repeat(60_000) });
    expect(acknowledged).toHaveProperty('messageId');
  });

  test('what is larger than the server takes is refused with a code that a page may read', async () => {
    const largest = await setting('http', 'max_body_bytes');
    expect(largest).toBe(await setting('socket', 'max_payload_bytes'));
    const post = (size: number): Promise<Answer> => {
      const rest = JSON.stringify({ tenantId: TENANT, text: 'Hello', domain: '' }).length;
      const body = { tenantId: TENANT, text: 'Hello', domain: 'x'.repeat(size - rest) };
      return ask('/webchat/message', { method: 'POST', body: JSON.stringify(body) });
    };
    expect((await post(largest)).status).toBe(200);
    for (const size of [largest + 1, 16 * largest]) {
      const { status, headers, body } = await post(size);
      expect(status).toBe(413);
      expect(JSON.parse(body)).toEqual({ error: expect.any(String), code: 'PAYLOAD_TOO_LARGE' });
      expect(headers['access-control-allow-origin']).toBe('*');
    }
  });

  test('the HTTP interface is served, with its codes and for other origins', async () => {
    const list = `/api/chat/online-users?tenantId=${TENANT}`;
    const headers = { origin: 'https://admin.example', authorization: `Bearer ${ADMIN_KEY}` };
    const answer = await ask(list, { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBeDefined();
    expect(JSON.parse(answer.body)).toHaveProperty('users');
    const refused = await ask(list);
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([
      401,
      { code: 'CREDENTIAL_REQUIRED' },
    ]);
    const preflight = await ask(list, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://admin.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(preflight.status).toBe(200);
    expect(preflight.headers['access-control-allow-headers']).toBeDefined();
  });

  test.each(['/metrics', '/healthz', '/readyz'])('%s is not for the public', async (path) => {
    expect((await fetch(server.url + path)).status).toBe(200);
    const answer = await ask(path);
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toContain('application/json');
    expect(JSON.parse(answer.body)).toEqual({ error: expect.any(String), code: 'NOT_FOUND' });
  });

  test.each(WIDGET_FILES)('%s can be kept, checked for changes and fetched from anywhere', async (file) => {
    const plain = await ask(`/${file}`);
    expect([plain.status, plain.body]).toEqual([200, WIDGET]);
    expect(plain.headers).toMatchObject({
      'content-type': expect.stringMatching(/^(text|application)\/javascript\b/),
      'cache-control': 'public, max-age=3600, stale-while-revalidate=86400',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
    });
    const compressed = await ask(`/${file}`, { headers: { 'accept-encoding': 'gzip' } });
    expect(compressed.headers).toMatchObject({ 'content-encoding': 'gzip' });
    expect(compressed.headers.vary?.toLowerCase()).toContain('accept-encoding');
    const tag = String(plain.headers.etag);
    const again = await ask(`/${file}`, { headers: { 'if-none-match': tag } });
    expect(again.status).toBe(304);
    expect(again.headers['cache-control']).toBe(plain.headers['cache-control']);
  });

  test('a visitor is back when the server behind it is', async () => {
    const first = await startServer();
    const at = await start(site(first));
    using visitor = await OfficialClient.visitor(at.url, 'patient', through(at));
    await first.program.kill();
    await until('the end of the connection', () => !visitor.socket.connected);
    await using _second = await first.restart();
    await visitor.connected();
    await at.program.kill();
  });

  test('nobody chooses the address that the server counts them by', async () => {
    const file = join(directory.path, 'server.toml');
    await writeFile(file, SETTINGS);
    await using counting = await startServer({ args: ['--config', file] });
    const pretending = (address: string): ClientOptions['socket'] => ({
      extraHeaders: { 'X-Forwarded-For': address },
    });
    // Without the proxy the server believes them: it is the proxy that makes the difference.
    using one = await OfficialClient.visitor(counting.url, 'one', {
      socket: pretending('192.0.2.1'),
    });
    using two = await OfficialClient.visitor(counting.url, 'two', {
      socket: pretending('192.0.2.2'),
    });
    expect([one.socket.connected, two.socket.connected]).toEqual([true, true]);

    const at = await start(site(counting));
    using three = await OfficialClient.visitor(
      at.url,
      'three',
      through(at, pretending('192.0.2.3')),
    );
    expect(three.socket.connected).toBe(true);
    using four = OfficialClient.open(at.url, through(at, pretending('192.0.2.4')));
    expect((await four.refused()).data).toEqual({ code: 'TOO_MANY_CONNECTIONS' });
    await at.program.kill();
  });
}

interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function send(
  proxy: Proxy,
  path: string,
  { method = 'GET', headers = {}, body }: Ask,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const options = { method, ca: proxy.ca, headers: { ...json, ...headers } };
    const asked = request(proxy.url + path, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        resolve({ status, headers: response.headers, body: Buffer.concat(chunks).toString() });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
