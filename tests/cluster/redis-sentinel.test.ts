/** Redis behind Sentinel: another server takes over, and nobody is told. */
import { test } from 'vitest';
import { RedisSentinel } from '../support/redis-sentinel.ts';
import { LEASE, Scene } from '../support/scene.ts';

test('a replica takes over from a master that has crashed', async () => {
  await using redis = await RedisSentinel.start();
  await using scene = await Scene.begin('Sentinel: the master crashes', { redis });
  const { at } = await scene.crowd();
  const [master, replica] = redis.servers;

  await master.kill();
  await scene.unready();
  for (const [leaver] of at) leaver?.close();
  await scene.goesOnLocally(0);
  await redis.names(replica);
  await scene.ready();
  await scene.converged();
  await scene.goesOn(LEASE);
  // The former master has to learn that it follows now; nobody may take it for the master.
  await master.revive();
  await scene.goesOn(LEASE);
  await scene.converged();
  scene.nobodyFlickered();
});

test('the master is changed on demand', async () => {
  await using redis = await RedisSentinel.start();
  await using scene = await Scene.begin('Sentinel: another master on demand', { redis });
  await scene.crowd();
  const [, replica] = redis.servers;

  await redis.failOver();
  await redis.names(replica);
  await scene.ready();
  await scene.converged();
  await scene.goesOn(LEASE);
  await scene.converged();
  scene.nobodyFlickered();
});

test('a master that stands still is replaced, and comes back as a replica', async () => {
  await using redis = await RedisSentinel.start();
  await using scene = await Scene.begin('Sentinel: the master stands still', { redis });
  await scene.crowd();
  const [master, replica] = redis.servers;

  master.freeze();
  await redis.names(replica);
  await scene.ready();
  await scene.converged();
  // What still goes to it is believed to be there until it has heard of its successor.
  master.thaw();
  await scene.goesOn(LEASE);
  await scene.converged();
  scene.nobodyFlickered();
});
