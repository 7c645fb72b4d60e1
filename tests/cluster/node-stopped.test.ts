/** Nodes end in order, and their clients come back at others. */
import { expect, test } from 'vitest';
import { RedisServer } from '../support/redis.ts';
import { LEASE, Scene } from '../support/scene.ts';
import { until } from '../support/until.ts';

test('nobody notices that a node is stopped, if its clients come back elsewhere', async () => {
  await using redis = await RedisServer.start();
  await using scene = await Scene.begin('a node is stopped', { redis });
  const roaming = await scene.visitors('roaming', 12, 'front');
  const before = roaming.map(({ id }) => id);
  await scene.converged();
  const [stopped, ...others] = scene.nodes;

  expect(await stopped.stop()).toBe(0);
  await until(
    'those who were at the stopped node to be connected elsewhere',
    () =>
      roaming.every(({ socket }) => socket.connected) &&
      roaming.some(({ id }) => !before.includes(id)),
  );
  await scene.converged(others);
  await scene.goesOn(LEASE, others);
  await scene.converged(others);
  scene.nobodyFlickered();
});

test('whoever does not come back after a stop is gone after the grace time, told once', async () => {
  await using redis = await RedisServer.start();
  await using scene = await Scene.begin('a node is stopped for good', { redis });
  const { users } = await scene.crowd();
  const [stopped, ...others] = scene.nodes;
  const [, ...admins] = scene.observers;

  expect(await stopped.stop()).toBe(0);
  await scene.converged(others);
  await scene.goesOn(LEASE, others);
  scene.nobodyFlickered();
  for (const admin of admins) {
    expect(users[0].map((user) => admin.times('offline', user))).toEqual(users[0].map(() => 1));
  }
});

test('nobody notices that all nodes are restarted, one after the other', async () => {
  await using redis = await RedisServer.start();
  await using scene = await Scene.begin('rolling restart', { redis, roamingAdmins: true });
  const roaming = await scene.visitors('roaming', 18, 'front');
  const before = roaming.map(({ id }) => id);
  await scene.converged();

  for (const node of scene.nodes) {
    expect(await node.stop()).toBe(0);
    await node.startAgain();
    await until('all clients to be connected', () =>
      [...roaming, ...scene.observers.map(({ client }) => client)].every(
        ({ socket }) => socket.connected,
      ),
    );
  }
  expect(
    roaming.filter(({ id }) => before.includes(id)),
    'visitors who stayed',
  ).toEqual([]);
  await scene.converged();
  await scene.goesOn(LEASE);
  await scene.converged();
  scene.nobodyFlickered();
});
