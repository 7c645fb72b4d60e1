/** The example worker, as an operator runs it: real Redis, our server, an official client's visitor, and the bot's answer. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, inject, test } from 'vitest';
import { ADMIN_KEY, type Backend, startServer, TENANT } from '../support/backends.ts';
import { EXAMPLES } from '../support/consumer.ts';
import { type ChatMessage, OfficialClient } from '../support/official-client.ts';
import { Program } from '../support/program.ts';
import { RedisServer } from '../support/redis.ts';
import { until } from '../support/until.ts';

const STREAM = 'meta:webhook_jobs';
const GROUP = 'example-bot';

interface Created {
  readonly message: ChatMessage;
}

let directory: string;

beforeAll(async () => {
  // Beside the test package, whose node_modules have what the example depends on.
  directory = join(inject('artifacts'), 'worker-node');
  await cp(join(EXAMPLES, 'worker-node'), directory, {
    recursive: true,
    filter: (path) => !path.endsWith('node_modules'),
  });
});

async function startChat(redis: RedisServer): Promise<Backend> {
  const server = await startServer({ args: ['--redis-url', redis.url] });
  // It listens before Redis has answered it.
  await until('the server to have Redis', async () => (await fetch(`${server.url}/readyz`)).ok);
  return server;
}

const startWorker = (
  redis: RedisServer,
  server: Backend,
  env: Readonly<Record<string, string>> = {},
): Promise<Program> =>
  Program.start({
    command: process.execPath,
    args: [join(directory, 'worker.mjs')],
    env: { REDIS_URL: redis.url, CHAT_URL: server.url, ...env },
    ready: /^(waiting for messages)/,
  });

/** What a bot said to a visitor, as soon as it is that. */
const answered = (visitor: OfficialClient, text: string): Promise<Created> =>
  visitor.first<Created>('meta_message_created', ({ message }) => message.text === text);

const answers = (visitor: OfficialClient): string[] =>
  visitor
    .all<Created>('meta_message_created')
    .filter(({ message }) => message.sender === 'bot')
    .map(({ message }) => message.text);

async function history(server: Backend, sessionId: string): Promise<ChatMessage[]> {
  const query = new URLSearchParams({ tenantId: TENANT, sessionId });
  const response = await fetch(`${server.url}/api/chat/messages?${query}`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { messages: ChatMessage[] }).messages;
}

/** Until everything in the stream has been handed out and acknowledged. */
const allDone = (redis: RedisServer): Promise<true> =>
  until('the stream to be worked off', async () => {
    const [pending] = (await redis.store.xpending(STREAM, GROUP)) as [number];
    const waiting = await redis.store.xrange(STREAM, `(${await lastRead(redis)}`, '+');
    return pending === 0 && waiting.length === 0;
  });

async function lastRead({ store }: RedisServer): Promise<string> {
  const [group] = (await store.xinfo('GROUPS', STREAM)) as [string[]];
  return group[group.indexOf('last-delivered-id') + 1] ?? '0';
}

test('a visitor writes, the worker answers, and both is in the history', async () => {
  await using redis = await RedisServer.start();
  await using server = await startChat(redis);
  await using worker = await startWorker(redis, server);
  using visitor = await OfficialClient.visitor(server.url, 'v1');
  using other = await OfficialClient.visitor(server.url, 'v2');

  const { messageId } = await visitor.send('Is this in stock?', { siteId: '7' });
  const { message } = await answered(visitor, 'You said: Is this in stock?');
  expect(message).toMatchObject({ sender: 'bot', sessionId: visitor.id, tenantId: TENANT });
  expect(await history(server, visitor.id)).toEqual([
    expect.objectContaining({ id: messageId, sender: 'user' }),
    message,
  ]);
  expect(other.heard).toEqual([]);

  await allDone(redis);
  expect(await redis.store.xlen(STREAM), 'an answer is nobody’s job').toBe(1);
  expect(await worker.stop()).toBe(0);
});

test('what a worker took and never finished is taken over by another', async () => {
  await using redis = await RedisServer.start();
  await using server = await startChat(redis);
  using visitor = await OfficialClient.visitor(server.url, 'v1');
  await redis.store.xgroup('CREATE', STREAM, GROUP, '$', 'MKSTREAM');
  await visitor.send('Anybody there?');
  const taken = await redis.store.xreadgroup(
    ...(['GROUP', GROUP, 'one-that-dies', 'COUNT', 1, 'STREAMS', STREAM, '>'] as const),
  );
  expect(taken).toHaveLength(1);

  await using _worker = await startWorker(redis, server, { CLAIM_IDLE_MS: '50' });
  await answered(visitor, 'You said: Anybody there?');
  await allDone(redis);
});

test('a message that is handed out twice is answered once', async () => {
  await using redis = await RedisServer.start();
  await using server = await startChat(redis);
  using visitor = await OfficialClient.visitor(server.url, 'v1');
  await redis.store.xgroup('CREATE', STREAM, GROUP, '$', 'MKSTREAM');
  await visitor.send('once');
  const [entry] = await redis.store.xrange(STREAM, '-', '+');
  await redis.store.xadd(STREAM, '*', ...(entry?.[1] ?? []));
  await visitor.send('the end');

  await using _worker = await startWorker(redis, server);
  await answered(visitor, 'You said: the end');
  await allDone(redis);
  expect(answers(visitor)).toEqual(['You said: once', 'You said: the end']);
});

test('a message whose answer fails is answered when the server is back', async () => {
  await using redis = await RedisServer.start();
  await using server = await startChat(redis);
  let sessionId: string;
  {
    using visitor = await OfficialClient.visitor(server.url, 'v1');
    sessionId = visitor.id;
    await redis.store.xgroup('CREATE', STREAM, GROUP, '$', 'MKSTREAM');
    await visitor.send('Hello?');
  }
  await server.program.kill();
  await using worker = await startWorker(redis, server, { CLAIM_IDLE_MS: '50' });
  await until('the failure', () => worker.output.includes('waits for another try'));

  await using again = await server.restart();
  await allDone(redis);
  const texts = (await history(again, sessionId)).map(({ text }) => text);
  expect(texts, 'and the conversation outlives the server').toEqual(['Hello?', 'You said: Hello?']);
});

test('what cannot be answered is put away, and the next message is answered', async () => {
  await using redis = await RedisServer.start();
  await using server = await startChat(redis);
  await using worker = await startWorker(redis, server);
  using visitor = await OfficialClient.visitor(server.url, 'v1');
  const payload = { messageId: 'm', tenantId: TENANT, sessionId: 'nowhere', text: 'x' };
  const foreign = { ...payload, tenantId: 42 };
  for (const broken of ['{', JSON.stringify(payload), JSON.stringify(foreign)]) {
    await redis.store.xadd(STREAM, '*', 'job_type', 'webchat_webhook', 'payload', broken);
  }
  await redis.store.xadd(STREAM, '*', 'job_type', 'something else');
  await visitor.send('Still there?');
  await answered(visitor, 'You said: Still there?');
  await allDone(redis);
  expect(worker.output).toContain('UNKNOWN_SESSION');
});

test('a worker goes on when Redis has come back empty', async () => {
  await using redis = await RedisServer.start();
  await using server = await startChat(redis);
  await using worker = await startWorker(redis, server);
  using visitor = await OfficialClient.visitor(server.url, 'v1');
  await redis.store.flushall();
  await visitor.send('Still there?');
  await answered(visitor, 'You said: Still there?');
  await allDone(redis);
  expect(await worker.stop()).toBe(0);
});
