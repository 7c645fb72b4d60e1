/** Who is let in through the gateway, and what the others are told: word for word what the server itself would say. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Backend, startGateway, startServer, tenantsFile } from '../support/backends.ts';
import { TENANTS, admitted, refusals } from '../support/credentials.ts';
import { SECRET } from '../support/token.ts';
import { type ClientOptions, OfficialClient, TRANSPORTS } from '../support/official-client.ts';

let file: Awaited<ReturnType<typeof tenantsFile>>;
let server: Backend;
let gateway: Backend;

beforeAll(async () => {
  file = await tenantsFile(TENANTS);
  const options = { args: ['--tenants', file.path], env: { JWT_SECRET: SECRET } };
  server = await startServer(options);
  gateway = await startGateway({ ...options, api: [server.url] });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await file[Symbol.asyncDispose]();
});

const strangers: Record<string, [code: string, options: ClientOptions]> = {
  ...refusals,
  'a bad bearer header': [
    'INVALID_API_KEY',
    { tenantId: '42', socket: { extraHeaders: { authorization: 'Bearer guessed' } } },
  ],
  "another tenant's bearer header": [
    'WRONG_TENANT',
    { tenantId: '42', socket: { extraHeaders: { authorization: 'Bearer open-admin' } } },
  ],
};

describe('refused with a code', () => {
  for (const [who, [code, options]] of Object.entries(strangers)) {
    for (const [kind, transport] of Object.entries(TRANSPORTS)) {
      test(`${who}, ${kind}`, async () => {
        const knock = async (url: string) => {
          using client = OfficialClient.open(url, {
            ...options,
            socket: { ...transport, ...options.socket },
          });
          const { message, data } = await client.refused();
          // Refused by the application: the official client does not try again by itself.
          expect(client.socket.active).toBe(false);
          return { message, data };
        };
        const through = await knock(gateway.url);
        expect(through.data).toEqual({ code });
        expect(through).toEqual(await knock(server.url));
      });
    }
  }
});

describe('let in', () => {
  for (const [who, options] of Object.entries(admitted)) {
    for (const [kind, transport] of Object.entries(TRANSPORTS)) {
      test(`${who}, ${kind}`, async () => {
        using client = OfficialClient.open(gateway.url, {
          ...options,
          socket: { ...transport, ...options.socket },
        });
        await client.connected();
        const acknowledged = await client.send('hello');
        const refusedAsAdmin = 'error' in acknowledged;
        expect(refusedAsAdmin || 'messageId' in acknowledged).toBe(true);
      });
    }
  }

  test('a client that begins with polling goes on over a WebSocket', async () => {
    using visitor = OfficialClient.open(gateway.url, {
      tenantId: 'open',
      socket: TRANSPORTS['polling, then upgrade'],
    });
    const upgraded = new Promise<void>((resolve) => {
      visitor.socket.io.engine.once('upgrade', () => resolve());
    });
    await visitor.connected();
    await upgraded;
    expect(await visitor.send('over the WebSocket')).toHaveProperty('messageId');
  });
});
