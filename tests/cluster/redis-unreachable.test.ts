/** One node cannot reach Redis, while the others can and go on. */
import { expect, test } from 'vitest';
import { RedisServer } from '../support/redis.ts';
import { LEASE, LONG_LEASE, Scene } from '../support/scene.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const FAILURES = {
  'cut off': (network: TcpProxy) => network.cut(),
  'in a black hole': (network: TcpProxy) => network.blackhole(),
};

/** Three nodes, of which the first has a network of its own to Redis. */
async function begin(fault: string, redis: RedisServer, network: TcpProxy, lease: number) {
  return Scene.begin(fault, {
    redis,
    lease,
    redisUrlOf: (index) => (index === 0 ? `redis://127.0.0.1:${network.port}` : redis.url),
  });
}

for (const [how, fail] of Object.entries(FAILURES)) {
  test(`nobody notices that a node is ${how} for less than its lease`, async () => {
    await using redis = await RedisServer.start();
    await using network = await TcpProxy.start(redis.port);
    await using scene = await begin(
      `a node is ${how} within its lease`,
      redis,
      network,
      LONG_LEASE,
    );
    const { at } = await scene.crowd();
    const [alone, ...others] = scene.nodes;
    const [own, ...admins] = scene.observers;

    fail(network);
    await alone.unready();
    for (const [leaver] of at) leaver?.close();
    await scene.passerBy(alone, own);
    await Promise.all(others.map((node) => scene.passerBy(node, ...admins)));
    await Promise.all(scene.nodes.map((node, n) => scene.visitors(`newcomer-${n}`, 1, node)));
    await Promise.all(others.map((node) => node.ready()));
    network.mend();
    await scene.ready();
    await scene.endsWell();
  });

  test(`a node that is ${how} for longer than its lease is lost to the others, and joins again`, async () => {
    await using redis = await RedisServer.start();
    await using network = await TcpProxy.start(redis.port);
    await using scene = await begin(`a node is ${how} past its lease`, redis, network, LEASE);
    const { at, users, twins } = await scene.crowd();
    const [alone, ...others] = scene.nodes;
    const [own, ...admins] = scene.observers;
    scene.excuse({ users: users[0], at: admins });

    fail(network);
    await alone.unready();
    await scene.passerBy(alone, own);
    await until('the users of the lonely node to be gone', () =>
      admins.every((admin) => users[0].every((user) => !admin.roster.has(user))),
    );
    at[0][0]?.close();
    at[1][0]?.close();
    await scene.passerBy(alone, own);
    await Promise.all(others.map((node) => scene.passerBy(node, ...admins)));
    network.mend();
    await scene.ready();
    await scene.converged();
    await scene.goesOn(LEASE);
    await scene.converged();
    scene.nobodyFlickered();
    for (const admin of admins) {
      expect(users[0].map((user) => admin.times('offline', user))).toEqual(users[0].map(() => 1));
      expect(twins.filter((user) => admin.times('offline', user) > 0)).toEqual([]);
    }
  });
}
