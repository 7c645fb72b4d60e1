/** A real Redis Cluster of three masters, each with a replica if wanted. */
import { Cluster } from 'ioredis';
import { freePort } from './port.ts';
import { PATIENT, RedisServer, type SharedRedis } from './redis.ts';
import { until } from './until.ts';

const SLOTS = 16_384;
const MASTERS = 3;
/** After which a member counts as lost, in milliseconds. */
const NODE_TIMEOUT = 1_000;

export class RedisCluster implements SharedRedis {
  readonly url: string;
  readonly store: Cluster;
  readonly #masters: readonly RedisServer[];
  readonly #members: readonly RedisServer[];

  private constructor(masters: readonly RedisServer[], members: readonly RedisServer[]) {
    const [first] = masters;
    if (!first) throw new Error('a cluster has members');
    this.url = first.url;
    this.#masters = masters;
    this.#members = members;
    this.store = new Cluster(
      members.map(({ port }) => ({ host: '127.0.0.1', port })),
      { clusterRetryStrategy: () => 50, retryDelayOnFailover: 50, redisOptions: PATIENT },
    );
    this.store.on('error', () => undefined);
  }

  /** Starts it, and resolves when all members say that it is whole. */
  static async start({ replicas }: { readonly replicas: boolean }): Promise<RedisCluster> {
    const count = replicas ? 2 * MASTERS : MASTERS;
    const members = await Promise.all(Array.from({ length: count }, startMember));
    const masters = members.slice(0, MASTERS).map(({ server }) => server);
    await assignSlots(masters);
    await introduce(members);
    if (replicas)
      await follow(
        masters,
        members.slice(MASTERS).map(({ server }) => server),
      );
    const cluster = new RedisCluster(
      masters,
      members.map(({ server }) => server),
    );
    await cluster.whole();
    return cluster;
  }

  /** Another of its members than the one that the URL names. */
  get otherUrl(): string {
    return this.#members[1]?.url ?? this.url;
  }

  /** The master that holds this key, as the cluster was made. */
  async masterOf(key: string): Promise<RedisServer> {
    const slot = (await this.#masters[0]?.store.cluster('KEYSLOT', key)) ?? 0;
    const master = this.#masters[Math.floor((slot * MASTERS) / SLOTS)];
    if (!master) throw new Error(`nobody holds ${key}`);
    return master;
  }

  /** Resolves when the replica of a lost master has taken over, and all others know. */
  async takenOverFrom(master: RedisServer): Promise<void> {
    const replica = this.#members[this.#members.indexOf(master) + MASTERS];
    await until('the replica to take over', async () =>
      (await replica?.store.info('replication'))?.includes('role:master'),
    );
    await this.whole(master);
  }

  /** Resolves when all members but the one that is lost say that every slot is held by somebody. */
  async whole(lost?: RedisServer): Promise<void> {
    const asked = this.#members.filter((member) => member !== lost);
    await until('the cluster to be whole', async () => {
      const states = await Promise.all(asked.map(({ store }) => store.cluster('INFO')));
      return states.every(
        (state) =>
          state.includes('cluster_state:ok') &&
          state.includes(`cluster_slots_ok:${SLOTS}`) &&
          state.includes(`cluster_known_nodes:${this.#members.length}`),
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store.disconnect();
    await Promise.all(this.#members.map((member) => member[Symbol.asyncDispose]()));
  }
}

interface Member {
  readonly server: RedisServer;
  readonly busPort: number;
}

async function startMember(): Promise<Member> {
  const busPort = await freePort();
  const server = await RedisServer.start([
    ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
    ...['--cluster-node-timeout', String(NODE_TIMEOUT)],
  ]);
  return { server, busPort };
}

async function assignSlots(masters: readonly RedisServer[]): Promise<void> {
  const bound = (index: number): number => Math.ceil((index * SLOTS) / MASTERS);
  await Promise.all(
    masters.map(async ({ store }, index) => {
      await store.call('CLUSTER', 'ADDSLOTSRANGE', bound(index), bound(index + 1) - 1);
      // Members that claim the same epoch would have to sort that out first.
      await store.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    }),
  );
}

/** Makes all members known to the first, and by it to each other. */
async function introduce([first, ...others]: readonly Member[]): Promise<void> {
  for (const { server, busPort } of others) {
    await first?.server.store.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort);
  }
}

async function follow(
  masters: readonly RedisServer[],
  replicas: readonly RedisServer[],
): Promise<void> {
  await Promise.all(
    replicas.map(async ({ store }, index) => {
      const master = await masters[index]?.store.call('CLUSTER', 'MYID');
      // Refused until the replica has heard of its master.
      await until('a replica to follow', () => store.call('CLUSTER', 'REPLICATE', String(master)));
      await until('a replica to be level', async () =>
        (await store.info('replication')).includes('master_link_status:up'),
      );
    }),
  );
}
