/** The dashboard, the alerts and the scrape configuration, against what a running server really says. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ADMIN_KEY, type Backend, startGateway, startServer, TENANT } from '../support/backends.ts';
import { deployed, ROOT, scratch } from '../support/deployment.ts';
import { notOffered, type Offered, offered, type Query, query } from '../support/metrics.ts';
import { OfficialClient } from '../support/official-client.ts';
import { RedisServer } from '../support/redis.ts';
import { until } from '../support/until.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly gridPos: {
    readonly h: number;
    readonly w: number;
    readonly x: number;
    readonly y: number;
  };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { name: string; query: string | { query: string } }[];
  };
}

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A gateway that does not notice by itself that a server is gone, and soon has enough of those who ask. */
const RARELY = `
[gateway]
probe_interval = "1h"
requests_per_key = { per_second = 1, burst = 4 }
`;

const dashboard = JSON.parse(await deployed('grafana/chat.json')) as Dashboard;
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const rules = parse(await deployed('prometheus/alerts.yml')) as {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Alert[] }[];
};
const alerts = rules.groups.flatMap((group) => group.rules);

/** What each kind of process says, by the job as which it is asked. */
let jobs: ReadonlyMap<string, Offered>;
let source: string;

beforeAll(async () => {
  source = await serverSource();
  jobs = await everyMetric();
});

describe.each(panels)('the panel $title', (panel) => {
  test('asks for what the server says', () => {
    expect(panel.targets?.length).toBeGreaterThan(0);
    for (const { expr, legendFormat } of panel.targets ?? []) {
      const asked = query(withoutVariables(expr));
      expect(notOffered(asked, jobs)).toEqual([]);
      expect(unknownValues(asked)).toEqual([]);
      const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
      expect(named.filter((label) => !asked.grouping.includes(label ?? ''))).toEqual([]);
    }
  });

  test('says what it shows, and takes the data source that is chosen', () => {
    expect(panel.description).toMatch(/\.$/);
    expect(panel.datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
  });
});

test('panels have places and numbers of their own', () => {
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  const taken = new Set<string>();
  for (const {
    gridPos: { h, w, x, y },
    title,
  } of dashboard.panels) {
    expect(x + w, title).toBeLessThanOrEqual(24);
    for (let row = y; row < y + h; row++) {
      for (let column = x; column < x + w; column++) {
        expect(taken, title).not.toContain(`${row}/${column}`);
        taken.add(`${row}/${column}`);
      }
    }
  }
});

test('every variable that a panel uses is one that the dashboard has', () => {
  const own = dashboard.templating.list.map(({ name }) => name);
  const used = panels.flatMap(({ targets = [] }) =>
    targets.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, name]) => name ?? '')),
  );
  expect(used.length).toBeGreaterThan(0);
  expect(used.filter((name) => ![...own, '__rate_interval'].includes(name))).toEqual([]);
  for (const { query: asked } of dashboard.templating.list) {
    const metric = /^label_values\((\w+)/.exec(typeof asked === 'string' ? '' : asked.query)?.[1];
    if (metric === undefined) continue;
    for (const metrics of jobs.values()) expect([...metrics.keys()]).toContain(metric);
  }
});

describe.each(alerts)('the alert $alert', ({ alert, expr, labels, annotations, ...alertRule }) => {
  test('asks for what the server says', () => {
    const asked = query(expr);
    expect(asked.selectors.length).toBeGreaterThan(0);
    expect(notOffered(asked, jobs)).toEqual([]);
    expect(unknownValues(asked)).toEqual([]);
  });

  test('says how urgent it is and what happens, with labels that it has', () => {
    expect(['page', 'ticket']).toContain(labels['severity']);
    expect(alertRule.for ?? '1m').toMatch(/^\d+m$/);
    const named = [...(annotations['summary'] ?? '').matchAll(/\$labels\.(\w+)/g)].map(
      ([, label]) => label,
    );
    expect(named.length).toBeGreaterThan(0);
    const { grouping } = query(expr);
    const kept = grouping.length > 0 ? grouping : ['job', 'instance'];
    expect(named.filter((label) => !kept.includes(label ?? ''))).toEqual([]);
  });

  test('is explained in the instructions', async () => {
    expect(await deployed('README.md')).toContain(`\`${alert}\``);
  });
});

test('Prometheus asks every process of the compose file', async () => {
  const config = parse(await deployed('prometheus/prometheus.yml')) as {
    readonly rule_files: readonly string[];
    readonly scrape_configs: readonly {
      readonly job_name: string;
      readonly static_configs: readonly { readonly targets: readonly string[] }[];
    }[];
  };
  expect(config.rule_files).toEqual(['alerts.yml']);
  const compose = parse(await deployed('compose.yaml'), { merge: true }) as {
    readonly services: Readonly<Record<string, { readonly command: readonly string[] }>>;
  };
  const running = Object.entries(compose.services).filter(([name]) => name !== 'redis');
  const asked = config.scrape_configs.flatMap(({ job_name, static_configs }) =>
    static_configs.flatMap(({ targets }) => targets.map((target) => [target, job_name])),
  );
  expect(asked).toEqual(
    running.map(([name, { command }]) => [`${name}:3000`, `chat-${command[0]}`]),
  );
});

/**
 * Uses a socket server, an API server and a gateway before them, and lets them down, until there is a series of each metric
 * that these files ask for.
 */
async function everyMetric(): Promise<ReadonlyMap<string, Offered>> {
  await using files = await scratch();
  const config = join(files.path, 'settings.toml');
  await writeFile(config, RARELY);
  const redis = await RedisServer.start();
  const common = ['--redis-url', redis.url, '--offline-grace', '50ms', '--config', config];
  const server = (role: string): Promise<Backend> => startServer({ args: [role, ...common] });
  await using ws = await server('ws');
  await using api = await server('api');
  const spare = await server('api');
  await until('Redis', async () => (await fetch(`${ws.url}/readyz`)).ok);
  const behind = { ws: [ws.url], api: [api.url, spare.url] };
  await using gateway = await startGateway({ ...behind, args: ['--config', config] });

  const staff = await OfficialClient.admin(gateway.url);
  const visitor = await OfficialClient.visitor(gateway.url, 'measured');
  await staff.online('anonymous-measured');
  await visitor.send('Hello');
  const other = await OfficialClient.visitor(gateway.url, 'passing');
  other.close();
  await staff.offline('anonymous-passing');
  const rude = OfficialClient.open(gateway.url, { socket: { reconnection: false } });
  await rude.connected();
  rude.socket.io.engine.write('no packet at all');
  await until('the end of the rude one', () => !rude.socket.connected);
  await spare.program.kill();
  const listed = () =>
    fetch(`${gateway.url}/api/chat/online-users?tenantId=${TENANT}`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
  await until('a request that comes too often', async () => (await listed()).status === 429);
  await redis[Symbol.asyncDispose]();
  await until('a refusal', async () => (await visitor.send('Anybody there?'))['error']);
  const said = async (job: string, { url }: Backend): Promise<[string, Offered]> => [
    job,
    offered(await (await fetch(`${url}/metrics`)).text()),
  ];
  const all = [said('chat-gateway', gateway), said('chat-ws', ws), said('chat-api', api)];
  const jobs = new Map(await Promise.all(all));
  for (const client of [staff, visitor, rude]) client.close();
  return jobs;
}

/** Values that a query names and no server says. Those of codes are all told from the start; others come as they happen. */
function unknownValues({ selectors }: Query): string[] {
  const codes = jobs.get('chat-ws')?.get('chat_refusals_total')?.get('code') ?? new Set();
  return selectors
    .flatMap(({ matchers }) => matchers)
    .filter(({ label }) => !['job', 'instance', 'status'].includes(label))
    .flatMap(({ label, value }) => value.split('|').map((one) => ({ label, one })))
    .filter(({ label, one }) => (label === 'code' ? !codes.has(one) : !source.includes(`"${one}"`)))
    .map(({ label, one }) => `${label}="${one}"`);
}

/** What Grafana puts in the place of its variables. */
function withoutVariables(expression: string): string {
  return expression.replaceAll('$__rate_interval', '1m').replaceAll(/\$\w+/g, '.*');
}

async function serverSource(): Promise<string> {
  const texts = ['server/src', 'server/socketio/src'].map(async (directory) => {
    const files = await readdir(join(ROOT, directory), { recursive: true });
    const rust = files.filter((file) => file.endsWith('.rs'));
    return Promise.all(rust.map((file) => readFile(join(ROOT, directory, file), 'utf8')));
  });
  return (await Promise.all(texts)).flat().join('\n');
}
