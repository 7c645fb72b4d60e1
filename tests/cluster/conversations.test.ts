/** The list of conversations, by servers of sockets and of requests that share a Redis. */
import { expect, test } from 'vitest';
import { ADMIN_KEY, TENANT } from '../support/backends.ts';
import { Node } from '../support/node.ts';
import { type ChatMessage, OfficialClient } from '../support/official-client.ts';
import { RedisServer } from '../support/redis.ts';
import { GRACE, LEASE } from '../support/scene.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

interface Summary {
  readonly userId: string;
  readonly lastMessage: ChatMessage;
}

interface Updated {
  readonly conversation: Summary;
}

const told = (desk: OfficialClient): string[] =>
  desk
    .all<Updated>('conversation_updated')
    .map(({ conversation: { userId, lastMessage } }) => `${userId}: ${lastMessage.text}`);

async function list(node: Node): Promise<Summary[]> {
  const path = `${node.url}/api/chat/conversations?tenantId=${TENANT}`;
  const response = await fetch(path, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
  expect(response.status).toBe(200);
  return ((await response.json()) as { conversations: Summary[] }).conversations;
}

async function answer(node: Node, sessionId: string, text: string): Promise<ChatMessage> {
  const response = await fetch(`${node.url}/webchat/message`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({ tenantId: TENANT, sessionId, text }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { message: ChatMessage }).message;
}

test('desks at different servers show the same, and miss nothing while theirs is cut off', async () => {
  await using redis = await RedisServer.start();
  await using network = await TcpProxy.start(redis.port);
  const start = (name: string, role: string, redisUrl: string): Promise<Node> =>
    Node.start(name, { grace: GRACE, lease: LEASE, args: [role], redisUrl });
  await using cut = await start('cut', 'ws', `redis://127.0.0.1:${network.port}`);
  await using steady = await start('steady', 'ws', redis.url);
  await using api = await start('api', 'api', redis.url);
  await Promise.all([cut, steady, api].map((node) => node.ready()));

  const asking = { auth: { conversations: 1 } };
  using cutDesk = await OfficialClient.admin(cut.url, asking);
  using desk = await OfficialClient.admin(steady.url, asking);
  using visitor = await OfficialClient.visitor(steady.url, 'ann');
  await visitor.send('Is this in stock?');
  await until('the server of requests to find the visitor', async () =>
    (await api.onlineUsers()).some(({ sessionId }) => sessionId === visitor.id),
  );
  const reply = await answer(api, visitor.id, 'It is');
  const both = ['anonymous-ann: Is this in stock?', 'anonymous-ann: It is'];
  for (const each of [cutDesk, desk]) {
    await until('a desk to be told of both', () => told(each).length === 2);
    expect(told(each)).toEqual(both);
  }
  expect((await list(api)).map(({ lastMessage }) => lastMessage)).toEqual([reply]);

  network.cut();
  await cut.unready();
  await visitor.send('The blue one');
  await answer(api, visitor.id, 'That, too');
  await until('the desk to be told', () => told(desk).length === 4);
  network.mend();
  await until('the desk that was cut off to be told', () => told(cutDesk).length >= 4);
  await visitor.send('Thanks');
  for (const each of [cutDesk, desk]) {
    await until('a desk to be told of the last', () =>
      told(each).includes('anonymous-ann: Thanks'),
    );
    expect(told(each)).toEqual([
      ...both,
      'anonymous-ann: The blue one',
      'anonymous-ann: That, too',
      'anonymous-ann: Thanks',
    ]);
  }
  const [shown] = await list(api);
  expect(shown).toMatchObject({ userId: 'anonymous-ann', lastMessage: { text: 'Thanks' } });
});
