/** Who is refused, and how an official client learns why: `connect_error` with a code. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Backend, startServer, tenantsFile } from '../support/backends.ts';
import { type ClientOptions, OfficialClient, TRANSPORTS } from '../support/official-client.ts';
import { anHourAgo, inAnHour, jwt, SECRET } from '../support/token.ts';

const TENANTS = `
[[tenants]]
id = "42"
name = "Shop"
admin_keys = ["forty-two-admin"]
widget_keys = ["forty-two-widget"]
allowed_origins = ["https://shop.example"]

[[tenants]]
id = "open"
name = "Open shop"
admin_keys = ["open-admin"]
widget_keys = []
allowed_origins = []
`;

const asAdmin = { query: { role: 'admin' } };

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

const refusals: Record<string, [code: string, options: ClientOptions]> = {
  'no tenant': ['TENANT_REQUIRED', { tenantId: '' }],
  'an unknown tenant': ['UNKNOWN_TENANT', { tenantId: 'nobody' }],
  'an admin without a credential': ['CREDENTIAL_REQUIRED', { tenantId: 'open', ...asAdmin }],
  'an admin with a wrong key': [
    'INVALID_API_KEY',
    { tenantId: 'open', ...asAdmin, auth: { token: 'guessed' } },
  ],
  'a widget key in place of an admin key': [
    'ADMIN_REQUIRED',
    { tenantId: '42', ...asAdmin, auth: { token: 'forty-two-widget' } },
  ],
  'a visitor without the widget key': ['CREDENTIAL_REQUIRED', { tenantId: '42' }],
  'an expired token': [
    'TOKEN_EXPIRED',
    {
      tenantId: 'open',
      auth: { token: jwt({ sub: 'u', tenantId: 'open', role: 'user', exp: anHourAgo() }) },
    },
  ],
  'a token without an end': [
    'INVALID_TOKEN',
    { tenantId: 'open', auth: { token: jwt({ sub: 'u', tenantId: 'open', role: 'user' }) } },
  ],
  'a token signed by someone else': [
    'INVALID_TOKEN',
    {
      tenantId: 'open',
      auth: {
        token: jwt({ sub: 'u', tenantId: 'open', role: 'user', exp: inAnHour() }, 'other'),
      },
    },
  ],
  'a token of another tenant': [
    'WRONG_TENANT',
    {
      tenantId: 'open',
      ...asAdmin,
      auth: { token: jwt({ sub: 'u', tenantId: 42, role: 'admin', exp: inAnHour() }) },
    },
  ],
  "a user's token that asks for the admin role": [
    'ADMIN_REQUIRED',
    {
      tenantId: 'open',
      ...asAdmin,
      auth: { token: jwt({ sub: 'u', tenantId: 'open', role: 'user', exp: inAnHour() }) },
    },
  ],
  "a page that is not the tenant's": [
    'ORIGIN_NOT_ALLOWED',
    {
      tenantId: '42',
      auth: { token: 'forty-two-widget' },
      socket: { extraHeaders: { origin: 'https://evil.example' } },
    },
  ],
};

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
  const admitted: Record<string, ClientOptions> = {
    'an admin key': { tenantId: '42', ...asAdmin, auth: { token: 'forty-two-admin' } },
    'an admin key as apiKey': { tenantId: '42', ...asAdmin, auth: { apiKey: 'forty-two-admin' } },
    'the role asked for in auth': {
      tenantId: '42',
      auth: { role: 'admin', token: 'forty-two-admin' },
    },
    'a bearer header': {
      tenantId: '42',
      ...asAdmin,
      socket: { extraHeaders: { authorization: 'Bearer forty-two-admin' } },
    },
    'a token whose tenant is a number': {
      tenantId: '42',
      ...asAdmin,
      auth: { token: jwt({ sub: 'boss', tenantId: 42, role: 'admin', exp: inAnHour() }) },
    },
    'a token with tenant_id': {
      tenantId: '42',
      ...asAdmin,
      auth: { token: jwt({ sub: 'boss', tenant_id: '42', role: 'admin', exp: inAnHour() }) },
    },
    "a widget key on the tenant's page": {
      tenantId: '42',
      auth: { token: 'forty-two-widget' },
      socket: { extraHeaders: { origin: 'https://shop.example' } },
    },
    'a widget key without a page': { tenantId: '42', auth: { token: 'forty-two-widget' } },
    'a visitor of an open tenant': { tenantId: 'open' },
  };
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
