/** A Redis Cluster behind the nodes. They are told of one member and find out by themselves. */
import { expect, test } from 'vitest';
import { TENANT } from '../support/backends.ts';
import { RedisCluster } from '../support/redis-cluster.ts';
import { LEASE, Scene } from '../support/scene.ts';
import { until } from '../support/until.ts';

test('nodes that were told of different members are one server', async () => {
  await using redis = await RedisCluster.start({ replicas: false });
  await using scene = await Scene.begin('Redis Cluster, a node is killed', {
    redis,
    redisUrlOf: (index) => (index === 0 ? redis.url : redis.otherUrl),
  });
  const { users, twins } = await scene.crowd();
  const [lost, ...others] = scene.nodes;
  const [, ...admins] = scene.observers;

  await scene.goesOn(0);
  await lost.kill();
  await until('the lost users to be gone', () =>
    admins.every((admin) => users[0].every((user) => !admin.roster.has(user))),
  );
  await scene.goesOn(LEASE, others);
  await scene.converged(others);
  scene.nobodyFlickered();
  for (const admin of admins) {
    expect(twins.filter((user) => admin.times('offline', user) > 0)).toEqual([]);
  }
});

test('a replica takes over from the master that holds the tenant', async () => {
  await using redis = await RedisCluster.start({ replicas: true });
  await using scene = await Scene.begin('Redis Cluster: the master crashes', { redis });
  const { at } = await scene.crowd();
  const master = await redis.masterOf(`online_users:${TENANT}`);

  await master.kill();
  await scene.unready();
  for (const [leaver] of at) leaver?.close();
  await scene.goesOnLocally(0);
  await redis.takenOverFrom(master);
  await scene.ready();
  await scene.converged();
  await scene.goesOn(LEASE);
  // The former master has to learn that it follows now.
  await master.revive();
  await redis.whole();
  await scene.goesOn(LEASE);
  await scene.converged();
  scene.nobodyFlickered();
});
