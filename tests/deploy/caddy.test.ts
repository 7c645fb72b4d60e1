/** Caddy with the configuration that is shipped, under names of the test. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  DEPLOY,
  deployed,
  ended,
  explained,
  scratch,
  setting,
  tool,
} from '../support/deployment.ts';
import { freePort, onFreePort } from '../support/port.ts';
import { Program } from '../support/program.ts';
import { type Proxy, proxyTests, type ProxySite } from '../support/proxy.ts';
import { until } from '../support/until.ts';

const CADDY = tool('caddy', 'CADDY');
const SHIPPED = join(DEPLOY, 'caddy/Caddyfile');

proxyTests((site) => onFreePort((port) => start(site, port)));

test('the shipped file is sound as it is, and laid out as Caddy does it', async () => {
  await using directory = await scratch();
  const options = {
    env: { ...process.env, XDG_DATA_HOME: directory.path, XDG_CONFIG_HOME: directory.path },
  };
  const args = ['--config', SHIPPED, '--adapter', 'caddyfile'];
  const judged = await ended(CADDY, ['validate', ...args], options);
  expect(judged).toMatchObject({ code: 0 });
  expect(judged.stderr).not.toContain('"level":"warn"');
  const formatted = await ended(CADDY, ['fmt', SHIPPED], options);
  expect(formatted.stdout).toBe(await deployed('caddy/Caddyfile'));
});

test('an idle connection to the server is given up before the server gives it up', async () => {
  const kept = /^\s*keepalive (\d+)s$/m.exec(await deployed('caddy/Caddyfile'))?.[1];
  expect(Number(kept)).toBeLessThan(await setting('http', 'head_timeout'));
});

async function start({ server, files, directory }: ProxySite, port: number): Promise<Proxy> {
  const own = await mkdtemp(join(directory, 'caddy-'));
  const config = join(own, 'Caddyfile');
  const http = await freePort();
  // A certificate of its own authority, which no browser here is told to trust; and no port but these.
  const options = `admin off\n skip_install_trust\n http_port ${http}\n https_port ${port}`;
  await writeFile(config, `{\n ${options}\n}\nimport ${SHIPPED}\n`);
  const url = `https://localhost:${port}`;
  const program = await Program.start({
    command: CADDY,
    args: ['run', '--config', config, '--adapter', 'caddyfile'],
    env: {
      CHAT_SITE: url,
      CHAT_GATEWAY: server,
      CHAT_STATIC: files,
      XDG_DATA_HOME: own,
      XDG_CONFIG_HOME: own,
    },
    ready: /(serving initial configuration)/,
  }).catch((error: unknown) => Promise.reject(explained(error, CADDY)));
  const authority = join(own, 'caddy/pki/authorities/local/root.crt');
  const ca = await until("the authority's certificate", () => readFile(authority, 'utf8'));
  const certificate = join(own, `caddy/certificates/local/localhost/localhost.crt`);
  await until('the certificate', () => readFile(certificate));
  return { url, ca, program };
}
