/** The reference backend leaves in Redis what the guide says: the yardstick is itself measured. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { startReference } from '../support/backends.ts';
import { OfficialClient } from '../support/official-client.ts';
import { Program } from '../support/program.ts';

test('users in the hash, messages in the stream', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'chat-redis-'));
  const path = join(directory, 'redis.sock');
  await using _redis = await Program.start({
    command: process.env['REDIS_SERVER'] ?? 'redis-server',
    args: ['--port', '0', '--unixsocket', path, '--save', '', '--dir', directory],
    ready: /(eady to accept connections)/,
  });
  const store = new Redis(path);
  try {
    await using server = await startReference({ env: { REDIS_URL: path } });
    using visitor = await OfficialClient.visitor(server.url, 'v1', {
      query: { domain: 'shop.example' },
    });
    await visitor.send('hello', { siteId: '7' });

    const user = await store.hget('online_users:demo', 'anonymous-v1');
    expect(JSON.parse(user ?? 'null')).toMatchObject({
      sessionId: visitor.id,
      domain: 'shop.example',
    });
    const entries = await store.xrange('meta:webhook_jobs', '-', '+');
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
  } finally {
    store.disconnect();
    await rm(directory, { recursive: true });
  }
});
