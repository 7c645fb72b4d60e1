/** Networks and policies that let no WebSocket through: the package goes on with HTTP requests, and misses nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Backend,
  startGateway,
  startReference,
  startServer,
  TENANT,
} from '../support/backends.ts';
import { type Page, TestBrowser } from '../support/browser.ts';
import { OfficialClient } from '../support/official-client.ts';
import { OurClient, packageSite } from '../support/our-client.ts';
import type { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

let browser: TestBrowser;
let site: Site;

beforeAll(async () => {
  [browser, site] = await Promise.all([TestBrowser.launch(), packageSite('blocked-websockets')]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

/** What a page does to itself before anything else runs in it. */
const BLOCKS: Readonly<Record<string, (server: string) => string>> = {
  'there are no WebSockets': () => `delete window.WebSocket;`,
  'the policy forbids them': (server) =>
    `const meta = document.createElement('meta');
     meta.httpEquiv = 'Content-Security-Policy';
     meta.content = 'connect-src ${server}';
     document.head.append(meta);`,
};

/** A page that has the package and is not connected yet. */
async function open(server: string, block: string): Promise<OurClient> {
  const client = await OurClient.open(browser, site, { server });
  await client.page.evaluate(block);
  await client.page.evaluate(() => {
    window.chat.configure({ WebSocket: window.chat.WebSocketOrPolling });
  });
  return client;
}

/** The kinds of the page's requests to the server. */
function watched(page: Page): { readonly sockets: string[]; readonly requests: string[] } {
  const sockets: string[] = [];
  const requests: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  page.on('request', (request) => {
    if (request.url().includes('/socket.io/')) requests.push(request.url());
  });
  return { sockets, requests };
}

const STARTS: Readonly<Record<string, () => Promise<Backend>>> = {
  'our server': startServer,
  'the official server': startReference,
};

for (const [backend, start] of Object.entries(STARTS)) {
  for (const [reason, block] of Object.entries(BLOCKS)) {
    test(`${backend}, ${reason}: a visitor comes, speaks and leaves`, async () => {
      await using server = await start();
      using agent = await OfficialClient.admin(server.url);
      await using visitor = await open(server.url, block(server.url));
      const { requests } = watched(visitor.page);
      await comesAndGoes(visitor, agent);
      expect(requests.length).toBeGreaterThan(2);
      expect(requests.every((url) => url.includes('transport=polling'))).toBe(true);
      expect(visitor.errors).toEqual([]);
    });
  }
}

describe('through the gateway', () => {
  test('a visitor comes, speaks, hears and leaves', async () => {
    await using server = await startServer();
    await using gateway = await startGateway({ api: [server.url] });
    using agent = await OfficialClient.admin(gateway.url);
    await using visitor = await open(gateway.url, `delete window.WebSocket;`);
    await comesAndGoes(visitor, agent, async (sessionId) => {
      await agent.send('Hello', { sessionId });
      await visitor.reported<{ text: string }>('onMessage', ({ text }) => text === 'Hello');
    });
    expect(visitor.errors).toEqual([]);
  });
});

test('where WebSockets work, no request is made', async () => {
  await using server = await startServer();
  await using visitor = await open(server.url, '');
  const { sockets, requests } = watched(visitor.page);
  await visitor.connect(TENANT, false);
  await visitor.reported('onConnect');
  expect(sockets).toHaveLength(1);
  expect(requests.filter((url) => url.includes('polling'))).toEqual([]);
});

async function comesAndGoes(
  visitor: OurClient,
  agent: OfficialClient,
  answer?: (sessionId: string) => Promise<void>,
): Promise<void> {
  await visitor.connect(TENANT, false);
  await visitor.reported('onConnect');
  const { userId, sessionId = '' } = await until('the visitor', async () =>
    // The official server lists admins, too.
    (await agent.list()).find((user) => user.userId.startsWith('anonymous-')),
  );
  const texts = Array.from({ length: 20 }, (_, index) => `Grüße ${index} 👋`);
  const receipts = await visitor.page.evaluate(
    (all) => Promise.all(all.map((text) => window.socket.sendMessage(text))),
    texts,
  );
  expect(receipts).toHaveLength(texts.length);
  const heard = await until('all of them', async () => {
    const reports = (await visitor.reports()).filter(({ callback }) => callback === 'onMessage');
    return reports.length === texts.length && reports;
  });
  expect(heard.map(({ argument }) => (argument as { text: string }).text)).toEqual(texts);

  await answer?.(sessionId);
  await visitor.page.goto('about:blank');
  expect(await agent.offline(userId)).toMatchObject({ userId });
}
