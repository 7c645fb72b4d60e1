/** The reference backend leaves in Redis what the guide says: the yardstick is itself measured. */
import { expect, test } from 'vitest';
import { startReference } from '../support/backends.ts';
import { OfficialClient } from '../support/official-client.ts';
import { RedisServer } from '../support/redis.ts';

test('users in the hash, messages in the stream', async () => {
  await using redis = await RedisServer.start();
  await using server = await startReference({ env: { REDIS_URL: redis.url } });
  using visitor = await OfficialClient.visitor(server.url, 'v1', {
    query: { domain: 'shop.example' },
  });
  await visitor.send('hello', { siteId: '7' });

  const user = await redis.store.hget('online_users:demo', 'anonymous-v1');
  expect(JSON.parse(user ?? 'null')).toMatchObject({
    sessionId: visitor.id,
    domain: 'shop.example',
  });
  const entries = await redis.store.xrange('meta:webhook_jobs', '-', '+');
  const fields = entries[0]?.[1] ?? [];
  expect(entries).toHaveLength(1);
  expect(fields.filter((_, index) => index % 2 === 0)).toEqual([
    'job_type',
    'source',
    'webhook_type',
    'payload',
    'headers',
    'timestamp',
  ]);
  expect(JSON.parse(fields[7] ?? 'null')).toMatchObject({
    userId: 'anonymous-v1',
    sessionId: visitor.id,
    siteId: 7,
    text: 'hello',
    senderType: 'user',
  });
});
