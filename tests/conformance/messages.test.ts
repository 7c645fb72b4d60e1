/** Messages beyond what the old system knew: refusals, agents, conversations that are followed. Official clients, our server. */
import { expect, test } from 'vitest';
import { startServer } from '../support/backends.ts';
import { type ChatMessage, OfficialClient } from '../support/official-client.ts';

interface Created {
  readonly message: ChatMessage;
}

const saying = (text: string) => (created: Created) => created.message.text === text;

test('a refused message says why, to the one who asks', async () => {
  await using server = await startServer();
  using visitor = await OfficialClient.visitor(server.url, 'v1');
  expect(await visitor.send('')).toMatchObject({ code: 'TEXT_REQUIRED' });
  expect(await visitor.send({ not: 'a text' })).toMatchObject({ error: expect.any(String) });
  expect(await visitor.send('x'.repeat(60_000))).toMatchObject({ code: 'TEXT_TOO_LONG' });
  // And the socket is as good as before.
  expect(await visitor.send('fine')).toHaveProperty('messageId');
  await visitor.first('meta_message_created', saying('fine'));
  expect(visitor.all('meta_message_created')).toHaveLength(1);
});

test('a message with a name is one message, however often it is sent', async () => {
  await using server = await startServer();
  using admin = await OfficialClient.admin(server.url);
  using visitor = await OfficialClient.visitor(server.url, 'v1');
  await admin.socket.emitWithAck('join_conversation', { sessionId: visitor.id });
  const first = await visitor.send('once', { clientId: 'n-1' });
  expect(Object.keys(first).sort()).toEqual(['messageId', 'timestamp']);
  expect(await visitor.send('once', { clientId: 'n-1', retry: true })).toEqual(first);
  await visitor.send('end');
  await admin.first('meta_message_created', saying('end'));
  const heard = admin.all<Created>('meta_message_created').map(({ message }) => message);
  expect(heard.map(({ text }) => text)).toEqual(['once', 'end']);
  expect(heard[0]).toMatchObject({ id: first['messageId'], clientId: 'n-1' });
  expect(heard[1]).not.toHaveProperty('clientId');
  expect(await visitor.send('x', { clientId: 'not a name' })).toMatchObject({
    code: 'INVALID_PAYLOAD',
  });
});

test('an agent answers into the conversation', async () => {
  await using server = await startServer();
  using admin = await OfficialClient.admin(server.url);
  using visitor = await OfficialClient.visitor(server.url, 'v1');
  using other = await OfficialClient.visitor(server.url, 'v2');
  const sessionId = visitor.id;
  await visitor.send('Is this in stock?');

  const joined = (await admin.socket.emitWithAck('join_conversation', { sessionId })) as {
    messages: ChatMessage[];
  };
  expect(joined.messages.map(({ text }) => text)).toEqual(['Is this in stock?']);

  await visitor.send('The blue one');
  await admin.first('meta_message_created', saying('The blue one'));

  expect(await admin.send('It is', { sessionId })).toHaveProperty('messageId');
  const { message } = await visitor.first('meta_message_created', saying('It is'));
  expect(message).toMatchObject({ sender: 'agent', sessionId });
  await admin.first('meta_message_created', saying('It is'));

  await admin.socket.emitWithAck('leave_conversation', { sessionId });
  await visitor.send('Thanks');
  await visitor.first('meta_message_created', saying('Thanks'));
  await admin.list();
  expect(admin.all<Created>('meta_message_created').some(saying('Thanks'))).toBe(false);
  expect(other.heard).toEqual([]);
});

test('a visitor can follow no conversation but their own', async () => {
  await using server = await startServer();
  using visitor = await OfficialClient.visitor(server.url, 'v1');
  using curious = await OfficialClient.visitor(server.url, 'v2');
  const sessionId = visitor.id;
  const refused = (await curious.socket.emitWithAck('join_conversation', { sessionId })) as object;
  expect(refused).toMatchObject({ code: 'ADMIN_REQUIRED' });
  expect(refused).not.toHaveProperty('messages');
  await visitor.send('secret');
  await visitor.first('meta_message_created', saying('secret'));
  await curious.send('mine', { sessionId });
  await curious.first('meta_message_created', saying('mine'));
  const heardBy = (client: OfficialClient) =>
    client.all<Created>('meta_message_created').map(({ message }) => message.text);
  expect(heardBy(curious)).toEqual(['mine']);
  await visitor.send('last');
  await visitor.first('meta_message_created', saying('last'));
  expect(heardBy(visitor)).toEqual(['secret', 'last']);
});
