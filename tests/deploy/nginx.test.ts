/** nginx with the configuration that is shipped; only names, ports and paths are those of the test. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  deployed,
  ended,
  explained,
  FIXTURES,
  scratch,
  setting,
  tool,
} from '../support/deployment.ts';
import { freePort, onFreePort } from '../support/port.ts';
import { Program } from '../support/program.ts';
import { type Proxy, proxyTests, type ProxySite } from '../support/proxy.ts';
import { until } from '../support/until.ts';

const NGINX = tool('nginx', 'NGINX_PROGRAM');

proxyTests((site) => onFreePort((port) => start(site, port)));

test('http leads to https, at the same place', async () => {
  await using directory = await scratch();
  await using site = await onFreePort(async (http) => {
    const port = await freePort();
    const { program } = await start(
      { server: '127.0.0.1:1', files: directory.path, directory: directory.path },
      port,
      http,
    );
    return { http, [Symbol.asyncDispose]: () => program.kill() };
  });
  const ask = () => fetch(`http://127.0.0.1:${site.http}/a/b?c=d`, { redirect: 'manual' });
  const answer = await until('an answer', ask);
  expect(answer.status).toBe(301);
  expect(answer.headers.get('location')).toBe('https://127.0.0.1/a/b?c=d');
});

test('the shipped file is sound as it is', async () => {
  await using directory = await scratch();
  const text = (await deployed('nginx/chat.conf')).replaceAll(
    /\/etc\/letsencrypt\/live\/\S+\//g,
    FIXTURES,
  );
  const files = text
    .replace('fullchain.pem', 'localhost.crt')
    .replace('privkey.pem', 'localhost.key');
  const config = await written(directory.path, files);
  const judged = await ended(NGINX, ['-t', '-q', '-p', directory.path, '-c', config]);
  expect(judged).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('a connection may be silent for as long as the server allows', async () => {
  const text = await deployed('nginx/chat.conf');
  const silence =
    (await setting('socket', 'ping_interval')) + (await setting('socket', 'ping_timeout'));
  expect(seconds(text, 'proxy_read_timeout')).toBeGreaterThan(silence);
  expect(seconds(text, 'proxy_send_timeout')).toBeGreaterThan(silence);
});

test('an idle connection to the server is given up before the server gives it up', async () => {
  const text = await deployed('nginx/chat.conf');
  expect(seconds(text, 'keepalive_timeout')).toBeLessThan(await setting('http', 'head_timeout'));
});

async function start(
  { server, files, directory }: ProxySite,
  port: number,
  http?: number,
): Promise<Proxy> {
  const text = await deployed('nginx/chat.conf');
  const plain = http ?? (await freePort());
  const changes: [string, string][] = [
    ['listen 80;', `listen 127.0.0.1:${plain};`],
    ['listen 443 ssl http2;', `listen 127.0.0.1:${port} ssl http2;`],
    ['server 127.0.0.1:3000;', `server ${server};`],
    ['/etc/letsencrypt/live/chat.example.com/fullchain.pem', `${FIXTURES}localhost.crt`],
    ['/etc/letsencrypt/live/chat.example.com/privkey.pem', `${FIXTURES}localhost.key`],
    ['/srv/chat-widget', files],
  ];
  const changed = changes.reduce((before, [from, to]) => {
    if (before.split(from).length !== 2) throw new Error(`not once in chat.conf: ${from}`);
    return before.replace(from, to);
  }, text);
  const own = await mkdtemp(join(directory, 'nginx-'));
  const config = await written(own, changed);
  const program = await Program.start({
    command: NGINX,
    args: ['-p', own, '-c', config],
    ready: /(using the "\w+" event method)/,
  }).catch((error: unknown) => Promise.reject(explained(error, NGINX)));
  return {
    url: `https://localhost:${port}`,
    ca: await readFile(`${FIXTURES}localhost.crt`, 'utf8'),
    program,
  };
}

/** Writes what a machine's own nginx.conf has around the shipped file. In one process, so that nothing is left when it is killed. */
async function written(directory: string, site: string): Promise<string> {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join(' ');
  const path = join(directory, 'nginx.conf');
  await writeFile(join(directory, 'chat.conf'), site);
  await writeFile(
    path,
    `daemon off; master_process off; pid ${directory}/nginx.pid; error_log stderr notice;
    events { worker_connections 256; }
    http { types { text/javascript js; } ${paths} include ${directory}/chat.conf; }`,
  );
  return path;
}

const seconds = (text: string, directive: string): number =>
  Number(new RegExp(`${directive} (\\d+)s;`).exec(text)?.[1]);
