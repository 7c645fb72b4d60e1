/**
 * Redis is away for all nodes at once. Each goes on with what it knows by itself: its admins are told of its own visitors, and
 * it says that it is not ready. Afterwards all of them agree with the truth again, and nobody who stayed was ever taken for gone.
 */
import { expect, test } from 'vitest';
import { RedisServer } from '../support/redis.ts';
import { LEASE, LONG_LEASE, Scene, userId } from '../support/scene.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const ENDS = {
  crashed: (redis: RedisServer) => redis.kill(),
  'shut down': (redis: RedisServer) => redis.shutDown(),
};

for (const [how, end] of Object.entries(ENDS)) {
  test(`Redis has ${how} and comes back empty`, async () => {
    await using redis = await RedisServer.start();
    await using scene = await Scene.begin(`Redis ${how}, back empty`, { redis });
    const { at } = await scene.crowd();

    await end(redis);
    await scene.unready();
    for (const [leaver] of at) leaver?.close();
    await scene.goesOnLocally(0);
    for (const [, leaver] of at) leaver?.close();
    await Promise.all(scene.nodes.map((node, n) => scene.visitors(`newcomer-${n}`, 1, node)));
    await redis.revive();
    await scene.ready();
    await scene.converged();
    await scene.goesOn(LEASE);
    await scene.converged();
    scene.nobodyFlickered();
  });
}

test('somebody empties Redis', async () => {
  await using redis = await RedisServer.start();
  await using scene = await Scene.begin('Redis is emptied', { redis });
  const { at } = await scene.crowd();

  await redis.store.flushall();
  for (const [leaver] of at) leaver?.close();
  await scene.goesOn(LEASE);
  await scene.converged();
  scene.nobodyFlickered();
});

test('Redis stands still for longer than an answer may take', async () => {
  await using redis = await RedisServer.start();
  await using scene = await Scene.begin('Redis stands still within the lease', {
    redis,
    lease: LONG_LEASE,
  });
  const { at } = await scene.crowd();

  redis.freeze();
  await scene.unready();
  at[0][0]?.close();
  await scene.goesOnLocally(0);
  at[0][1]?.close();
  redis.thaw();
  await scene.ready();
  await scene.endsWell();
});

test('Redis stands still for longer than the lease', async () => {
  await using redis = await RedisServer.start();
  await using scene = await Scene.begin('Redis stands still past the lease', { redis });
  const { at } = await scene.crowd();

  redis.freeze();
  await scene.unready();
  at[0][0]?.close();
  await scene.goesOnLocally(LEASE);
  at[0][1]?.close();
  redis.thaw();
  await scene.ready();
  await scene.converged();
  await scene.goesOn(LEASE);
  await scene.converged();
  scene.nobodyFlickered();
});

test('a tab that comes and goes while Redis is away hides nobody who has one elsewhere', async () => {
  await using redis = await RedisServer.start();
  await using scene = await Scene.begin('Redis away, a second tab comes and goes', {
    redis,
    lease: LONG_LEASE,
  });
  await scene.crowd();
  const [here] = scene.nodes;
  const [own] = scene.observers;

  redis.freeze();
  await scene.unready();
  const tab = scene.visitor('third-0', here);
  await tab.connected();
  await until('the tab to be shown', () => own.roster.get(userId('third-0')) === tab.id);
  tab.close();
  // Takes longer than the grace time of the tab's user.
  await scene.goesOnLocally(0);
  redis.thaw();
  await scene.ready();
  await scene.converged();
  scene.nobodyFlickered();
});

test('the shown tab ends while Redis is away, and the other one is at another node', async () => {
  await using redis = await RedisServer.start();
  await using scene = await Scene.begin('Redis away, the shown tab ends', {
    redis,
    lease: LONG_LEASE,
  });
  const { twins, twinTabs } = await scene.crowd();
  // The node of the tab that ends is told of the tab that is shown, which was its own. On its own it cannot know of another.
  const [own] = scene.observers;
  scene.excuse({ users: twins.slice(0, 1), at: [own] });

  redis.freeze();
  await scene.unready();
  twinTabs[0]?.close();
  await scene.goesOnLocally(0);
  redis.thaw();
  await scene.ready();
  await scene.converged();
  scene.nobodyFlickered();
});

test('the answers of Redis are lost just when visitors go', async () => {
  await using redis = await RedisServer.start();
  await using network = await TcpProxy.start(redis.port);
  await using scene = await Scene.begin('Redis is heard no more when visitors go', {
    redis,
    lease: LONG_LEASE,
    redisUrlOf: () => `redis://127.0.0.1:${network.port}`,
  });
  const { at, users } = await scene.crowd();
  // From here on Redis knows the script of a leave, and does it without another exchange.
  await scene.goesOn(0);

  network.swallowAnswers();
  for (const [leaver] of at) leaver?.close();
  await scene.unready();
  // Redis knows that they have gone, and nobody is there to end their grace times.
  await until('each node to let its own go by itself', () =>
    scene.observers.every((own, n) => own.times('offline', users[n]?.[0] ?? '') > 0),
  );
  network.mend();
  await scene.ready();
  await scene.endsWell();
});

test('Redis is far away', async () => {
  await using redis = await RedisServer.start();
  await using network = await TcpProxy.start(redis.port);
  await using scene = await Scene.begin('Redis is 200 ms away', {
    redis,
    redisUrlOf: () => `redis://127.0.0.1:${network.port}`,
  });
  const { users } = await scene.crowd();

  network.delay(100);
  await scene.goesOn(LEASE);
  await scene.converged();
  network.mend();
  await scene.goesOn(0);
  await scene.converged();
  scene.nobodyFlickered();
  for (const admin of scene.observers) {
    expect(users.flat().filter((user) => admin.times('online', user) > 1)).toEqual([]);
  }
});
