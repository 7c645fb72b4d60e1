/** An unmodified Node `socket.io` server behind the gateway, which puts no tag into its ids and knows no codes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Backend, startGateway, startReference } from '../support/backends.ts';
import { OfficialClient, TRANSPORTS } from '../support/official-client.ts';

let servers: Backend[];
let gateway: Backend;

beforeAll(async () => {
  servers = await Promise.all([startReference(), startReference()]);
  gateway = await startGateway({ api: servers.map(({ url }) => url) });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  for (const server of servers) await server[Symbol.asyncDispose]();
});

describe.each(Object.entries(TRANSPORTS))('%s', (_kind, socket) => {
  test('an admin sees a visitor come, and the visitor is answered', async () => {
    using admin = await OfficialClient.admin(gateway.url, { socket });
    const name = `visitor-${Math.random()}`;
    using visitor = await OfficialClient.visitor(gateway.url, name, { socket });
    expect(await admin.online(`anonymous-${name}`)).toMatchObject({ sessionId: visitor.id });
    const acknowledged = await visitor.send('hello');
    expect(acknowledged).toHaveProperty('messageId');
    const echoed = await visitor.first<{ message: { text: string } }>('meta_message_created');
    expect(echoed.message.text).toBe('hello');
  });

  test('a bad key is refused with a code that the server behind does not know', async () => {
    using stranger = OfficialClient.open(gateway.url, {
      query: { role: 'admin' },
      auth: { token: 'guessed' },
      socket,
    });
    expect((await stranger.refused()).data).toEqual({ code: 'INVALID_API_KEY' });
  });

  test('an unknown tenant is refused with a code', async () => {
    using stranger = OfficialClient.open(gateway.url, { tenantId: 'nobody', socket });
    expect((await stranger.refused()).data).toEqual({ code: 'UNKNOWN_TENANT' });
  });
});

test('its HTTP endpoint is protected by the gateway', async () => {
  const url = `${gateway.url}/api/chat/online-users?tenantId=demo`;
  const bad = await fetch(url, { headers: { authorization: 'Bearer guessed' } });
  expect(bad.status).toBe(401);
  expect(await bad.json()).toMatchObject({ code: 'INVALID_API_KEY' });
  const headers = { authorization: 'Bearer demo-admin-key', origin: 'https://desk.example' };
  const good = await fetch(url, { headers });
  expect(good.status).toBe(200);
  // The server allows everybody; only the gateway's word counts, and it is said once.
  expect(good.headers.get('access-control-allow-origin')).toBe('https://desk.example');
});
