/**
 * Nodes on one Redis, visitors spread over them, and an admin at each, while a test makes something go wrong. When it ends, what
 * the fault cost goes into the report.
 */
import { expect, onTestFailed } from 'vitest';
import { TENANT } from './backends.ts';
import { type Cost, recordFault } from './fault-report.ts';
import { figuresOf } from './figures.ts';
import { Node } from './node.ts';
import { Observer } from './observer.ts';
import { type ClientOptions, OfficialClient } from './official-client.ts';
import type { SharedRedis } from './redis.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { Truth } from './truth.ts';
import { until } from './until.ts';

/** Long enough for a client to come back on a slow machine. */
export const GRACE = 1_500;
/** Of which a silent node is certain of less than its grace time has to be, so that the two can be told apart. */
export const LEASE = 4_000;
/** For tests in which no lease may end. */
export const LONG_LEASE = 40_000;

const AT = ['first', 'second', 'third'] as const;

const HASH = `online_users:${TENANT}`;

export type Three<T> = readonly [T, T, T];

export interface SceneOptions {
  readonly redis: SharedRedis;
  readonly lease?: number;
  readonly args?: readonly string[];
  /** How the node with this index reaches Redis, if not directly. */
  readonly redisUrlOf?: (index: number) => string;
  /** Whether the admins are at no node in particular. */
  readonly roamingAdmins?: boolean;
}

/** Users, and the admins from whose screens a fault may take them. */
export interface Excused {
  readonly users: readonly string[];
  readonly at: readonly Observer[];
}

/** Visitors at the nodes, all of them connected. */
export interface Crowd {
  /** Those who are only at one node, by node. */
  readonly at: Three<readonly OfficialClient[]>;
  /** The users they are. */
  readonly users: Three<readonly string[]>;
  /** Users who have a tab at the first node and one at the second. */
  readonly twins: readonly string[];
  /** The tabs they have at the first node, which are their newest. */
  readonly twinTabs: readonly OfficialClient[];
}

export class Scene {
  readonly nodes: Three<Node>;
  /** The admin at each node. */
  readonly observers: Three<Observer>;
  readonly truth = new Truth();
  readonly #fault: string;
  readonly #redis: SharedRedis;
  readonly #balancer: TcpProxy;
  readonly #clients: OfficialClient[] = [];
  #passersBy = 0;
  #excused: Excused = { users: [], at: [] };

  private constructor(
    fault: string,
    redis: SharedRedis,
    nodes: Three<Node>,
    balancer: TcpProxy,
    roaming: boolean,
  ) {
    this.#fault = fault;
    this.#redis = redis;
    this.nodes = nodes;
    this.#balancer = balancer;
    this.observers = three((index) => {
      const { name, url } = nodes[index];
      return Observer.watch(`the admin at ${name}`, roaming ? this.front : url);
    });
  }

  static async begin(fault: string, options: SceneOptions): Promise<Scene> {
    const { redis, lease = LEASE, args = [] } = options;
    const { redisUrlOf = () => redis.url, roamingAdmins = false } = options;
    const nodes = await Promise.all(
      three((index) =>
        Node.start(`node ${index}`, { redisUrl: redisUrlOf(index), grace: GRACE, lease, args }),
      ),
    );
    await Promise.all(nodes.map((node) => node.ready()));
    const balancer = await TcpProxy.start(...nodes.map(({ port }) => port));
    const scene = new Scene(fault, redis, nodes, balancer, roamingAdmins);
    onTestFailed(() => {
      for (const { name, output } of nodes) console.error(`${name}:\n${output}\n`);
    });
    await until('every admin to watch', () => scene.observers.every((one) => one.isWatching));
    return scene;
  }

  /** An address behind which some living node is. */
  get front(): string {
    return `http://127.0.0.1:${this.#balancer.port}`;
  }

  /** A visitor at this node, or at the front. */
  visitor(name: string, at: Node | 'front', options: ClientOptions = {}): OfficialClient {
    const url = at === 'front' ? this.front : at.url;
    const client = OfficialClient.open(url, { ...options, auth: { visitorId: name } });
    this.truth.follow(userId(name), client);
    this.#clients.push(client);
    return client;
  }

  /** Some visitors at this node, once they are connected. */
  async visitors(prefix: string, count: number, at: Node | 'front'): Promise<OfficialClient[]> {
    const clients = Array.from({ length: count }, (_, n) => this.visitor(`${prefix}-${n}`, at));
    await Promise.all(clients.map((client) => client.connected()));
    return clients;
  }

  /** Some visitors at each node, and some users with a tab at the first and one at the second. */
  async crowd(): Promise<Crowd> {
    const [first, second, third] = this.nodes;
    const at: Three<OfficialClient[]> = [
      await this.visitors(AT[0], 6, first),
      await this.visitors(AT[1], 6, second),
      await this.visitors(AT[2], 6, third),
    ];
    await this.visitors('twin', 3, second);
    const twinTabs = await this.visitors('twin', 3, first);
    const twins = [0, 1, 2].map((n) => userId(`twin-${n}`));
    const users = three((index) => usersOf(AT[index], 6));
    await this.converged();
    return { at, users, twins, twinTabs };
  }

  /** A visitor comes to a node and goes again, and these admins are told of both. */
  async passerBy(at: Node, ...seenBy: readonly Observer[]): Promise<void> {
    const name = `passer-by-${this.#passersBy++}`;
    const client = this.visitor(name, at);
    await client.connected();
    const told = (kind: 'online' | 'offline') =>
      until(`${kind} of ${name} at ${seenBy.map((admin) => admin.name).join(' and ')}`, () =>
        seenBy.every((admin) => admin.times(kind, userId(name)) > 0),
      );
    await told('online');
    client.close();
    await told('offline');
  }

  /** Lets visitors come and go at each of the nodes, seen by all admins, until so much time is over. */
  async goesOn(milliseconds: number, nodes: readonly Node[] = this.nodes): Promise<void> {
    const end = performance.now() + milliseconds;
    do {
      await Promise.all(nodes.map((node) => this.passerBy(node, ...this.watching())));
    } while (performance.now() < end);
  }

  /** Lets visitors come and go at each node, seen by its own admin, until so much time is over. */
  async goesOnLocally(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    do {
      await Promise.all(
        this.nodes.map((node, n) => this.passerBy(node, ...this.observers.slice(n, n + 1))),
      );
    } while (performance.now() < end);
  }

  /** Resolves when all nodes are ready. */
  async ready(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.ready()));
  }

  /** Resolves when none of the nodes is. */
  async unready(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.unready()));
  }

  /** The admins who are connected. */
  watching(): Observer[] {
    return this.observers.filter((admin) => admin.isWatching);
  }

  /**
   * Waits until each connected admin shows who is really there, and so do the hash in Redis and the HTTP interface of the nodes
   * that live; all of them by the same sessions.
   */
  async converged(living: readonly Node[] = this.nodes): Promise<void> {
    await until('all to show the truth', async () => {
      const listed = await Promise.all(
        living.map(async (node) => {
          const users = await node.onlineUsers();
          return [node.name, new Map(users.map((u) => [u.userId, u.sessionId]))] as const;
        }),
      );
      const shown = this.observers
        .filter(({ client }) => client.socket.connected)
        .map(({ name, roster }) => [name, roster] as const);
      const hash = await this.hash();
      const truth = this.truth.online();
      for (const [where, users] of [...listed, ...shown, ['the hash', hash] as const]) {
        const wrong = difference(users, truth);
        if (wrong) throw new Error(`${where}: ${wrong}`);
        for (const [user, session] of users) {
          if (session !== hash.get(user)) throw new Error(`${where}: ${user} by another session`);
        }
      }
      return true;
    });
  }

  /** What other programs read in Redis: user and session. */
  async hash(): Promise<Map<string, string | undefined>> {
    const entries = Object.entries(await this.#redis.store.hgetall(HASH));
    return new Map(
      entries.map(([user, value]) => [
        user,
        (JSON.parse(value) as { sessionId: string }).sessionId,
      ]),
    );
  }

  /** Waits until all show the truth, lets visitors come and go once more, and looks back at whether anybody was shown falsely. */
  async endsWell(): Promise<void> {
    await this.converged();
    await this.goesOn(0);
    await this.converged();
    this.nobodyFlickered();
  }

  /** Says where a fault takes users off screens by contract, though they are connected. */
  excuse(excused: Excused): void {
    this.#excused = excused;
  }

  /** Nobody who was there was ever taken for gone, and each who went was announced once to each admin. */
  nobodyFlickered(): void {
    const { falseOfflines, repeatedOfflines, announcements } = this.#figures();
    expect(falseOfflines, 'users taken for gone').toEqual([]);
    expect(repeatedOfflines, 'user_offline of users who were not shown').toBe(0);
    expect(
      announcements.filter(({ times }) => times !== 1),
      'leaves not announced once',
    ).toEqual([]);
  }

  #figures(): Cost {
    const watches = this.observers.map(({ name, log }) => ({ admin: name, log }));
    const figures = figuresOf(this.truth.sessions, watches, GRACE, performance.now());
    const { users, at } = this.#excused;
    const falseOfflines = figures.falseOfflines.filter(
      ({ admin, userId: user }) => !(users.includes(user) && at.some(({ name }) => name === admin)),
    );
    const byContract = figures.falseOfflines.length - falseOfflines.length;
    return { ...figures, falseOfflines, byContract };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await recordFault(this.#fault, this.truth.sessions.size, this.#figures());
    for (const client of [...this.#clients, ...this.observers.map(({ client }) => client)]) {
      client.close();
    }
    await this.#balancer[Symbol.asyncDispose]();
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()));
  }
}

const three = <T>(make: (index: 0 | 1 | 2) => T): [T, T, T] => [make(0), make(1), make(2)];

/** The users that some visitors are. */
const usersOf = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => userId(`${prefix}-${n}`));

/** The user that a visitor without proof is. */
export const userId = (name: string): string => `anonymous-${name}`;

function difference(
  shown: ReadonlyMap<string, string | undefined>,
  truth: ReadonlyMap<string, ReadonlySet<string>>,
): string | undefined {
  for (const [user, session] of shown) {
    const sessions = truth.get(user);
    if (!sessions) return `${user} is not there`;
    if (!sessions.has(session ?? '')) return `${user} has no session ${session}`;
  }
  const missing = [...truth.keys()].filter((user) => !shown.has(user));
  return missing.length > 0 ? `${missing.join(', ')} missing` : undefined;
}
