/** Who is refused, and how an official client learns why: `connect_error` with a code. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Backend, startServer, tenantsFile } from '../support/backends.ts';
import { TENANTS, admitted, refusals } from '../support/credentials.ts';
import { OfficialClient, TRANSPORTS } from '../support/official-client.ts';
import { SECRET, inAnHour, jwt } from '../support/token.ts';

let file: Awaited<ReturnType<typeof tenantsFile>>;
let server: Backend;

beforeAll(async () => {
  file = await tenantsFile(TENANTS);
  server = await startServer({
    args: ['--tenants', file.path],
    env: { JWT_SECRET: SECRET },
  });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await file[Symbol.asyncDispose]();
});

describe('refused with a code', () => {
  for (const [who, [code, options]] of Object.entries(refusals)) {
    for (const [kind, transport] of Object.entries(TRANSPORTS)) {
      test(`${who}, ${kind}`, async () => {
        using client = OfficialClient.open(server.url, {
          ...options,
          socket: { ...transport, ...options.socket },
        });
        const refusal = await client.refused();
        expect(refusal.data).toMatchObject({ code });
        expect(refusal.message).not.toBe('');
        // Refused by the application: the official client does not try again by itself.
        expect(client.socket.active).toBe(false);
      });
    }
  }
});

describe('let in', () => {
  for (const [who, options] of Object.entries(admitted)) {
    test(who, async () => {
      using client = OfficialClient.open(server.url, options);
      await client.connected();
    });
  }

  test('a user with a token appears under their own id', async () => {
    using admin = await OfficialClient.admin(server.url, {
      tenantId: 'open',
      auth: { token: 'open-admin' },
    });
    using user = OfficialClient.open(server.url, {
      tenantId: 'open',
      auth: { token: jwt({ sub: 'customer-9', tenantId: 'open', role: 'user', exp: inAnHour() }) },
    });
    await user.connected();
    expect(await admin.online('customer-9')).toMatchObject({ sessionId: user.id });
  });

  test('a visitor cannot appear under the id of a user', async () => {
    using admin = await OfficialClient.admin(server.url, {
      tenantId: 'open',
      auth: { token: 'open-admin' },
    });
    using visitor = OfficialClient.open(server.url, {
      tenantId: 'open',
      query: { userId: 'customer-9' },
      auth: { visitorId: 'customer-9', userId: 'customer-9' },
    });
    await visitor.connected();
    expect(await admin.online('anonymous-customer-9')).toMatchObject({ sessionId: visitor.id });
  });
});
