/** Conversations do not care at which node somebody is. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_KEY, TENANT } from '../support/backends.ts';
import { Node } from '../support/node.ts';
import { type ChatMessage, OfficialClient } from '../support/official-client.ts';
import { RedisServer } from '../support/redis.ts';
import { GRACE, LEASE } from '../support/scene.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { inAnHour, jwt, SECRET } from '../support/token.ts';
import { until } from '../support/until.ts';

interface Created {
  readonly message: ChatMessage;
}

let redis: RedisServer;
/** Between the first node and Redis. */
let network: TcpProxy;
let here: Node;
let there: Node;

beforeAll(async () => {
  redis = await RedisServer.start();
  network = await TcpProxy.start(redis.port);
  const options = { grace: GRACE, lease: LEASE, args: ['--jwt-secret', SECRET] };
  [here, there] = await Promise.all([
    Node.start('here', { ...options, redisUrl: `redis://127.0.0.1:${network.port}` }),
    Node.start('there', { ...options, redisUrl: redis.url }),
  ]);
  await Promise.all([here.ready(), there.ready()]);
});

afterAll(async () => {
  await Promise.all([here, there].map((node) => node[Symbol.asyncDispose]()));
  await network[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

/** A tab of somebody with an account. */
const tab = (node: Node, sub: string): Promise<OfficialClient> =>
  OfficialClient.visitor(node.url, 'unused', {
    auth: { token: jwt({ sub, tenantId: TENANT, role: 'user', exp: inAnHour() }) },
  });

/** What a client has heard said, in order. */
const heardBy = (client: OfficialClient): string[] =>
  client.all<Created>('meta_message_created').map(({ message }) => message.text);

const hears = (client: OfficialClient, text: string): Promise<Created> =>
  client.first<Created>('meta_message_created', ({ message }) => message.text === text);

/** An admin who follows a conversation, with what was said in it before. */
async function follow(node: Node, sessionId: string) {
  const admin = await OfficialClient.admin(node.url);
  const answer: unknown = await admin.socket.emitWithAck('join_conversation', { sessionId });
  const { messages } = answer as { messages: ChatMessage[] };
  return { admin, history: messages.map(({ text }) => text) };
}

/** What a backend says in a conversation over HTTP. */
async function say(node: Node, sessionId: string, text: string, sender: string): Promise<void> {
  const response = await fetch(`${node.url}/webchat/message`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({ tenantId: TENANT, sessionId, text, sender }),
  });
  expect(response.status, await response.text()).toBe(200);
}

test('an agent’s reply reaches a visitor at another node', async () => {
  using visitor = await OfficialClient.visitor(there.url, 'asks');
  using stranger = await OfficialClient.visitor(there.url, 'stranger');
  await visitor.send('Is this in stock?');
  const { admin, history } = await follow(here, visitor.id);
  using _admin = admin;
  expect(history).toEqual(['Is this in stock?']);

  expect(await admin.send('It is', { sessionId: visitor.id })).toHaveProperty('messageId');
  const { message } = await hears(visitor, 'It is');
  expect(message).toMatchObject({ sender: 'agent', sessionId: visitor.id });
  await visitor.send('The blue one too?');
  await hears(admin, 'The blue one too?');
  await hears(visitor, 'The blue one too?');
  expect(heardBy(visitor)).toEqual(['Is this in stock?', 'It is', 'The blue one too?']);
  expect(heardBy(admin)).toEqual(['It is', 'The blue one too?']);
  expect(stranger.heard).toEqual([]);
});

test('tabs of an account at two nodes hear the same', async () => {
  using first = await tab(here, 'ann');
  using second = await tab(there, 'ann');
  using stranger = await tab(there, 'bob');
  await first.send('from the first');
  await hears(second, 'from the first');
  await second.send('from the second');
  await hears(first, 'from the second');
  await say(here, first.id, 'from the bot', 'bot');
  await hears(second, 'from the bot');
  await second.send('the end');
  await Promise.all([first, second].map((client) => hears(client, 'the end')));
  const all = ['from the first', 'from the second', 'from the bot', 'the end'];
  expect(heardBy(first)).toEqual(all);
  expect(heardBy(second)).toEqual(all);
  expect(stranger.heard).toEqual([]);
});

test('a bot’s answer over HTTP reaches a visitor at another node', async () => {
  using visitor = await OfficialClient.visitor(there.url, 'v-bot');
  await visitor.send('Hello?');
  await say(here, visitor.id, 'You said: Hello?', 'bot');
  const { message } = await hears(visitor, 'You said: Hello?');
  expect(message).toMatchObject({ sender: 'bot', sessionId: visitor.id });
  await say(here, visitor.id, 'Anything else?', 'agent');
  await hears(visitor, 'Anything else?');
  expect(heardBy(visitor)).toEqual(['Hello?', 'You said: Hello?', 'Anything else?']);
});

test('admins at two nodes who follow one conversation hear each message once', async () => {
  using first = await tab(here, 'followed');
  using second = await tab(there, 'followed');
  const { admin: one } = await follow(here, first.id);
  using _one = one;
  const { admin: other } = await follow(there, first.id);
  using _other = other;
  // A conversation by its second session is the same conversation.
  await other.socket.emitWithAck('join_conversation', { sessionId: second.id });

  await first.send('1, at the first tab');
  await one.send('2, an agent', { sessionId: first.id });
  await second.send('3, at the second tab');
  await other.send('4, another agent', { sessionId: second.id });
  await say(here, second.id, '5, the bot', 'bot');
  await first.send('6, the end');

  const all = [one, other, first, second];
  await Promise.all(all.map((client) => hears(client, '6, the end')));
  await until('all messages', () => all.every((client) => heardBy(client).length >= 6));
  for (const client of all) {
    const numbers = heardBy(client).map((text) => text.charAt(0));
    // What was said at different nodes may overtake each other on the way.
    expect(numbers.sort()).toEqual(['1', '2', '3', '4', '5', '6']);
  }
});

test('many messages through both nodes arrive once each, those of one sender in order', async () => {
  using visitor = await OfficialClient.visitor(there.url, 'talks-much');
  const { admin: near } = await follow(there, visitor.id);
  using _near = near;
  const { admin: far } = await follow(here, visitor.id);
  using _far = far;
  const said = Array.from({ length: 50 }, (_, n) => n);
  await Promise.all(
    said.map((n) =>
      n % 2 === 0 ? visitor.send(`v${n}`) : far.send(`a${n}`, { sessionId: visitor.id }),
    ),
  );
  await visitor.send('the end');
  const all = [visitor, near, far];
  await Promise.all(all.map((client) => hears(client, 'the end')));
  await until('all messages', () => all.every((client) => heardBy(client).length > said.length));
  const expected = [...said.map((n) => (n % 2 === 0 ? `v${n}` : `a${n}`)), 'the end'].sort();
  for (const client of all) expect([...heardBy(client)].sort()).toEqual(expected);
  // Of one sender, in the order in which they were sent.
  const inOrder = heardBy(far).filter((text) => text.startsWith('v'));
  expect(inOrder).toEqual(said.filter((n) => n % 2 === 0).map((n) => `v${n}`));
});

test('a node without Redis refuses, and takes part again afterwards', async () => {
  using visitor = await OfficialClient.visitor(there.url, 'patient');
  using beside = await OfficialClient.visitor(here.url, 'beside');
  const { admin } = await follow(here, visitor.id);
  using _admin = admin;

  network.cut();
  await here.unready();
  const refused = await beside.send('lost');
  expect(refused).toMatchObject({ code: 'UNAVAILABLE' });
  await visitor.send('while the other is away');
  await hears(visitor, 'while the other is away');
  network.mend();
  await here.ready();

  // What was missed is made up for.
  await hears(admin, 'while the other is away');
  await admin.send('back', { sessionId: visitor.id });
  await hears(visitor, 'back');
  const { admin: late, history } = await follow(here, visitor.id);
  using _late = late;
  expect(history).toEqual(['while the other is away', 'back']);
  await visitor.send('the end');
  await hears(admin, 'the end');
  expect(heardBy(admin)).toEqual(['while the other is away', 'back', 'the end']);
  expect(heardBy(beside)).toEqual([]);
});
