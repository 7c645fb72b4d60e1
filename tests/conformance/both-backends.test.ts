/**
 * What pages of the old system rely on, in every kind of transport, checked with the official client. The same tests run
 * against the official server with the guide's code: what they ask for is the old system's behaviour, not an opinion.
 */
import { describe, expect, test } from 'vitest';
import { startReference, startServer } from '../support/backends.ts';
import { type ChatMessage, OfficialClient, TRANSPORTS } from '../support/official-client.ts';
import { until } from '../support/until.ts';

const ISO_8601_UTC_MS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const page = {
  domain: 'shop.example',
  origin: 'https://shop.example',
  // Without a query: ours shows none unless the tenant asks for it.
  url: 'https://shop.example/söcks/a&b',
};

for (const [backend, start] of Object.entries({
  'our server': startServer,
  'the official server': startReference,
})) {
  for (const [kind, transport] of Object.entries(TRANSPORTS)) {
    describe(`${backend}, ${kind}`, () => {
      test('an admin sees a visitor come and go', async () => {
        await using server = await start();
        using admin = await OfficialClient.admin(server.url, { socket: transport });
        using visitor = await OfficialClient.visitor(server.url, 'v1', {
          query: page,
          socket: transport,
        });
        const sessionId = visitor.id;

        const announced = await admin.online('anonymous-v1');
        expect(announced).toMatchObject({ userId: 'anonymous-v1', sessionId, ...page });
        expect(announced.connectedAt).toMatch(ISO_8601_UTC_MS);
        const listed = (await admin.list()).find((user) => user.userId === 'anonymous-v1');
        expect(listed).toMatchObject({ sessionId, ...page });

        visitor.close();
        expect(await admin.offline('anonymous-v1')).toMatchObject({ userId: 'anonymous-v1' });
        expect((await admin.list()).map((user) => user.userId)).not.toContain('anonymous-v1');
      });

      test('a message is acknowledged and comes back to its conversation', async () => {
        await using server = await start();
        using visitor = await OfficialClient.visitor(server.url, 'v1', { socket: transport });
        const text = 'Grüße "quoted" \\ \u2028 👋';
        const acknowledged = await visitor.send(text, { siteId: '7', domain: 'shop.example' });
        expect(acknowledged['timestamp']).toMatch(ISO_8601_UTC_MS);

        const { message } = await visitor.first<{ message: ChatMessage }>('meta_message_created');
        expect(message).toMatchObject({
          id: acknowledged['messageId'],
          text,
          sender: 'user',
          sessionId: visitor.id,
          userId: 'anonymous-v1',
          tenantId: 'demo',
        });
      });

      test('what one visitor writes is no business of another', async () => {
        await using server = await start();
        using writer = await OfficialClient.visitor(server.url, 'writer', { socket: transport });
        using other = await OfficialClient.visitor(server.url, 'other', { socket: transport });
        await writer.send('secret');
        await writer.first('meta_message_created');
        // Their own message has taken the same way after it.
        await other.send('mine');
        await other.first('meta_message_created');
        const texts = other
          .all<{ message: ChatMessage }>('meta_message_created')
          .map(({ message }) => message.text);
        expect(texts).toEqual(['mine']);
      });

      test('many messages at once come back in order', async () => {
        await using server = await start();
        using visitor = await OfficialClient.visitor(server.url, 'v1', { socket: transport });
        const sent = Array.from({ length: 5 }, (_, index) => `message ${index}`);
        await Promise.all(sent.map((text) => visitor.send(text)));
        const received = await until('all messages', () => {
          const all = visitor.all<{ message: ChatMessage }>('meta_message_created');
          return all.length === sent.length && all;
        });
        expect(received.map(({ message }) => message.text)).toEqual(sent);
      });

      test('visitors get no list', async () => {
        await using server = await start();
        using visitor = await OfficialClient.visitor(server.url, 'v1', { socket: transport });
        visitor.socket.emit('get_online_users', { tenantId: 'demo' });
        // Later packets of one socket are handled later.
        await visitor.send('after the request');
        expect(visitor.all('online_users_list')).toEqual([]);
      });

      test('a client comes back by itself when its server does', async () => {
        const first = await start();
        using visitor = await OfficialClient.visitor(first.url, 'v1', { socket: transport });
        const before = visitor.id;
        await using second = await first.restart();
        await until('another session', () => visitor.socket.connected && visitor.id !== before);
        using admin = await OfficialClient.admin(second.url, { socket: transport });
        const users = await until('the visitor in the list', async () => {
          const list = await admin.list();
          return list.some((user) => user.userId === 'anonymous-v1') && list;
        });
        expect(users.find((user) => user.userId === 'anonymous-v1')?.sessionId).toBe(visitor.id);
      });
    });
  }

  test(`${backend}: a polling client really upgrades`, async () => {
    await using server = await start();
    using visitor = await OfficialClient.visitor(server.url, 'v1', {
      socket: TRANSPORTS['polling, then upgrade'],
    });
    await until('the upgrade', () => visitor.socket.io.engine.transport.name === 'websocket');
    expect(await visitor.send('over the new transport')).toHaveProperty('messageId');
  });
}
