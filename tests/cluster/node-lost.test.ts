/** A node is gone without a word, or stands still for a while. */
import { expect, test } from 'vitest';
import { RedisServer } from '../support/redis.ts';
import { LEASE, LONG_LEASE, Scene } from '../support/scene.ts';
import { until } from '../support/until.ts';

test('whom a killed node held is gone for the others, each told once', async () => {
  await using redis = await RedisServer.start();
  await using scene = await Scene.begin('a node is killed', { redis });
  const { users, twins } = await scene.crowd();
  const [lost, ...others] = scene.nodes;
  const [, ...admins] = scene.observers;

  await lost.kill();
  await until('the lost users to be gone', () =>
    admins.every((admin) => users[0].every((user) => !admin.roster.has(user))),
  );
  await scene.converged(others);
  await scene.goesOn(LEASE, others);
  await scene.converged(others);
  scene.nobodyFlickered();
  for (const admin of admins) {
    expect(users[0].map((user) => admin.times('offline', user))).toEqual(users[0].map(() => 1));
    expect(twins.filter((user) => admin.times('offline', user) > 0)).toEqual([]);
  }
});

test('a node that stands still for longer than its lease is lost, and joins again', async () => {
  await using redis = await RedisServer.start();
  await using scene = await Scene.begin('a node stands still past its lease', { redis });
  const { users, twins } = await scene.crowd();
  const [frozen, ...others] = scene.nodes;
  const [, ...admins] = scene.observers;
  scene.excuse({ users: users[0], at: admins });

  frozen.freeze();
  await until('the users of the frozen node to be gone', () =>
    admins.every((admin) => users[0].every((user) => !admin.roster.has(user))),
  );
  await Promise.all(others.map((node) => scene.passerBy(node, ...admins)));
  frozen.thaw();
  await scene.converged();
  await scene.goesOn(LEASE);
  await scene.converged();
  scene.nobodyFlickered();
  for (const admin of admins) {
    expect(users[0].map((user) => admin.times('offline', user))).toEqual(users[0].map(() => 1));
    expect(twins.filter((user) => admin.times('offline', user) > 0)).toEqual([]);
  }
});

test('nobody notices that a node stands still for less than its lease', async () => {
  await using redis = await RedisServer.start();
  await using scene = await Scene.begin('a node stands still within its lease', {
    redis,
    lease: LONG_LEASE,
  });
  const { at } = await scene.crowd();
  const [frozen, second, third] = scene.nodes;
  const [, ...admins] = scene.observers;

  frozen.freeze();
  at[0][0]?.close();
  at[1][0]?.close();
  await scene.passerBy(second, ...admins);
  await scene.passerBy(third, ...admins);
  frozen.thaw();
  await scene.endsWell();
});

test('all nodes are killed and started again', async () => {
  await using redis = await RedisServer.start();
  await using scene = await Scene.begin('all nodes are killed and started again', { redis });
  const { at, users } = await scene.crowd();

  await Promise.all(scene.nodes.map((node) => node.kill()));
  // These do not come back; of one of them another tab does.
  for (const [leaver, other] of at) [leaver, other].forEach((client) => client?.close());
  const returned = scene.visitor('first-0', 'front');
  await Promise.all(scene.nodes.map((node) => node.startAgain()));
  await returned.connected();
  await scene.converged();
  await scene.goesOn(LEASE);
  await scene.converged();
  scene.nobodyFlickered();
  const shown = [...scene.observers[0].roster.keys()];
  expect(shown).toContain(users[0][0]);
  expect(shown).not.toContain(users[0][1]);
});

test('a node is killed while Redis is away, which comes back empty', async () => {
  await using redis = await RedisServer.start();
  await using scene = await Scene.begin('a node is killed while Redis is away', { redis });
  const { users, twins } = await scene.crowd();
  const [lost, ...others] = scene.nodes;
  const [, ...admins] = scene.observers;

  await redis.kill();
  await scene.unready();
  await lost.kill();
  await redis.revive();
  await Promise.all(others.map((node) => node.ready()));
  await scene.converged(others);
  await scene.goesOn(LEASE, others);
  await scene.converged(others);
  scene.nobodyFlickered();
  for (const admin of admins) {
    expect(users[0].map((user) => admin.times('offline', user))).toEqual(users[0].map(() => 1));
    expect(twins.filter((user) => admin.times('offline', user) > 0)).toEqual([]);
  }
});
