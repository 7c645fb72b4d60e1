/** The whole system as processes of their own: Redis, servers of sockets, servers of requests, and gateways before them. */
import { type Backend, startGateway } from './backends.ts';
import { Node } from './node.ts';
import { RedisServer } from './redis.ts';
import { until } from './until.ts';

/** The defaults of the server: what an operator who sets nothing gets. */
const TIMES = { grace: 2_000, lease: 15_000 };

export type Pair<T> = readonly [T, T];

export class Topology {
  readonly redis: RedisServer;
  readonly ws: Pair<Node>;
  readonly api: Pair<Node>;
  readonly gateways: Pair<Backend>;

  private constructor(
    redis: RedisServer,
    ws: Pair<Node>,
    api: Pair<Node>,
    gateways: Pair<Backend>,
  ) {
    this.redis = redis;
    this.ws = ws;
    this.api = api;
    this.gateways = gateways;
  }

  /** Two of each kind, ready. */
  static async start(): Promise<Topology> {
    const redis = await RedisServer.start();
    const node = (role: string, number: number): Promise<Node> =>
      Node.start(`${role} ${number}`, { ...TIMES, redisUrl: redis.url, args: [role] });
    const pair = (role: string): Promise<Pair<Node>> =>
      Promise.all([node(role, 1), node(role, 2)]);
    const [ws, api] = await Promise.all([pair('ws'), pair('api')]);
    await Promise.all([...ws, ...api].map((each) => each.ready()));
    const behind = { ws: ws.map(({ url }) => url), api: api.map(({ url }) => url) };
    const gateways = await Promise.all([startGateway(behind), startGateway(behind)]);
    return new Topology(redis, ws, api, gateways);
  }

  /** How many clients' sockets a socket server has, as the gateways tell. */
  async sockets(node: Node): Promise<number> {
    const loads = await Promise.all(this.gateways.map((gateway) => ofBackends(gateway, 'load')));
    return loads.reduce((sum, load) => sum + (load.get(node.url) ?? 0), 0);
  }

  /** Resolves when every gateway takes every socket server for ready. */
  async allReady(): Promise<void> {
    await until('the gateways to find all servers ready', async () => {
      const healths = await Promise.all(this.gateways.map((each) => ofBackends(each, 'health')));
      return healths.every((health) => this.ws.every(({ url }) => health.get(url) === 2));
    });
  }

  /** What every process has logged, for a failing test to show. */
  get output(): string {
    const nodes = [...this.ws, ...this.api].map(({ name, output }) => `${name}:\n${output}`);
    const gateways = this.gateways.map(({ program }) => `gateway:\n${program.output}`);
    return [...gateways, ...nodes].join('\n\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.gateways, ...this.ws, ...this.api, this.redis].map((each) =>
        each[Symbol.asyncDispose](),
      ),
    );
  }
}

/** What a gateway says of each of its socket servers, by the server's address. */
async function ofBackends(gateway: Backend, what: 'health' | 'load'): Promise<Map<string, number>> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const line = new RegExp(`^chat_gateway_backend_${what}\\{kind="ws",backend="(.+)"\\} (\\d+)$`, 'gm');
  return new Map(
    [...text.matchAll(line)].map(([, host, value]) => [`http://${host}`, Number(value)]),
  );
}
