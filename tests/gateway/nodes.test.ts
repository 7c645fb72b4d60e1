/** Several nodes behind several gateways that share nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Balancer, balance } from '../support/balancer.ts';
import { type Backend, startGateway, startServer } from '../support/backends.ts';
import { OfficialClient, TRANSPORTS } from '../support/official-client.ts';
import { until } from '../support/until.ts';

let nodes: Backend[];
let gateways: Backend[];
let balancer: Balancer;

beforeAll(async () => {
  nodes = await Promise.all([startServer(), startServer()]);
  const api = nodes.map(({ url }) => url);
  gateways = await Promise.all([startGateway({ api }), startGateway({ api })]);
  balancer = await balance(gateways.map(({ url }) => url));
});

afterAll(async () => {
  await balancer[Symbol.asyncDispose]();
  for (const program of [...gateways, ...nodes]) await program[Symbol.asyncDispose]();
});

describe.each(Object.entries(TRANSPORTS))('requests that alternate between gateways, %s', (kind, socket) => {
  test('belong to one session', async () => {
    const clients = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        OfficialClient.visitor(balancer.url, `${kind.replaceAll(/\W/g, '-')}-${index}`, { socket }),
      ),
    );
    for (const client of clients) {
      for (const text of ['one', 'two', 'three']) {
        expect(await client.send(text)).toHaveProperty('messageId');
      }
      expect(client.all('meta_message_created')).toHaveLength(3);
    }
    for (const client of clients) client.close();
    for (const count of balancer.counts) expect(count).toBeGreaterThan(0);
  });

  test('are refused with a code', async () => {
    using stranger = OfficialClient.open(balancer.url, { tenantId: 'nobody', socket });
    // An attempt may end without a code if what refused it is asked elsewhere; the client then tries again.
    const codes: unknown[] = [];
    stranger.socket.on('connect_error', (error: Error & { data?: unknown }) => {
      if (error.data) codes.push(error.data);
    });
    await until('the code', () => codes.length > 0);
    expect(codes[0]).toEqual({ code: 'UNKNOWN_TENANT' });
  });
});

test('everybody of a tenant meets on one node, through whichever gateway', async () => {
  const [first, second] = gateways as [Backend, Backend];
  using admin = await OfficialClient.admin(first.url);
  using visitor = await OfficialClient.visitor(second.url, 'meets');
  expect(await admin.online('anonymous-meets')).toMatchObject({ sessionId: visitor.id });
});

test('the clients of a node that dies go on at another', async () => {
  const spare = await Promise.all([startServer(), startServer()]);
  await using gateway = await startGateway({ api: spare.map(({ url }) => url) });
  using admin = await OfficialClient.admin(gateway.url);
  const before = admin.id;
  // Whichever it is on.
  const load = async () => {
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    return spare.find(({ url }) =>
      metrics.includes(`chat_gateway_backend_load{kind="ws",backend="${new URL(url).host}"} 1`),
    );
  };
  const home = await until('the node with the client', load);
  await home.program.kill();
  await until('the client on the other node', () => admin.socket.connected && admin.id !== before);
  expect(Array.isArray(await admin.list())).toBe(true);
  for (const node of spare) await node[Symbol.asyncDispose]();
});

test('a gateway that is told to end does so with sockets open, and they come back elsewhere', async () => {
  const api = nodes.map(({ url }) => url);
  const leaving = await startGateway({ api });
  await using both = await balance([leaving.url, (gateways[0] as Backend).url]);
  const clients = await Promise.all(
    Array.from({ length: 8 }, (_, index) => OfficialClient.visitor(both.url, `leaving-${index}`)),
  );
  expect(await leaving.program.stop()).toBe(0);
  await until('all clients', () => clients.every(({ socket }) => socket.connected));
  for (const client of clients) client.close();
});
