/** The list of conversations, for desks that ask for it. Official clients, our server. */
import { expect, test } from 'vitest';
import { ADMIN_KEY, startServer, TENANT } from '../support/backends.ts';
import { type ChatMessage, OfficialClient, TRANSPORTS } from '../support/official-client.ts';

interface Summary {
  readonly id: string;
  readonly sessionId: string;
  readonly userId: string;
  readonly updatedAt: string;
  readonly lastMessage: ChatMessage;
}

interface Updated {
  readonly conversation: Summary;
}

const ASKING = { auth: { conversations: 1 } };

const says = (text: string) => (updated: Updated) => updated.conversation.lastMessage.text === text;

async function list(url: string, query = ''): Promise<{ conversations: Summary[]; nextCursor?: string }> {
  const path = `${url}/api/chat/conversations?tenantId=${TENANT}${query}`;
  const response = await fetch(path, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
  expect(response.status).toBe(200);
  return (await response.json()) as { conversations: Summary[]; nextCursor?: string };
}

test.each(Object.entries(TRANSPORTS))('a desk is told of every message (%s)', async (_, socket) => {
  await using server = await startServer();
  using desk = await OfficialClient.admin(server.url, { ...ASKING, socket });
  using visitor = await OfficialClient.visitor(server.url, 'v1', { socket });
  await visitor.send('Is this in stock?');
  const { conversation } = await desk.first('conversation_updated', says('Is this in stock?'));
  expect(Object.keys(conversation).sort()).toEqual(
    ['id', 'lastMessage', 'sessionId', 'updatedAt', 'userId'],
  );
  expect(conversation).toMatchObject({ sessionId: visitor.id, userId: 'anonymous-v1' });
  const { message } = await visitor.first<{ message: ChatMessage }>('meta_message_created');
  expect(conversation.lastMessage).toEqual(message);
  expect(conversation.updatedAt).toBe(message.timestamp);

  await desk.send('It is', { sessionId: conversation.sessionId });
  const answered = await desk.first('conversation_updated', says('It is'));
  expect(answered.conversation).toMatchObject({ id: conversation.id, userId: 'anonymous-v1' });
  expect(answered.conversation.lastMessage.sender).toBe('agent');
  expect((await list(server.url)).conversations).toEqual([answered.conversation]);
  expect(desk.all('conversation_updated')).toHaveLength(2);
});

test('a dashboard of the old system, and a visitor who asks, are told nothing of it', async () => {
  await using server = await startServer();
  using dashboard = await OfficialClient.admin(server.url);
  using curious = await OfficialClient.visitor(server.url, 'v1', ASKING);
  using visitor = await OfficialClient.visitor(server.url, 'v2');
  await visitor.send('secret');
  await visitor.first('meta_message_created');
  await dashboard.list();
  await curious.send('mine');
  await curious.first('meta_message_created');
  expect(dashboard.all('conversation_updated')).toEqual([]);
  expect(curious.heard.map(({ event }) => event)).toEqual(['meta_message_created']);
});

test('the list is read in parts', async () => {
  await using server = await startServer();
  using visitor = await OfficialClient.visitor(server.url, 'v1');
  using other = await OfficialClient.visitor(server.url, 'v2');
  await visitor.send('one');
  await other.send('two');
  const whole = await list(server.url);
  expect(whole.conversations).toHaveLength(2);
  expect(whole).not.toHaveProperty('nextCursor');
  const first = await list(server.url, '&limit=1');
  const second = await list(server.url, `&limit=1&cursor=${encodeURIComponent(first.nextCursor ?? '')}`);
  expect([...first.conversations, ...second.conversations]).toEqual(whole.conversations);
  expect(second).not.toHaveProperty('nextCursor');
});
