/** What a visitor's page keeps over pages and tabs: the visit, the visitor, and what has not been sent. */
import type { Conversation, Visit } from '@amoiq/chat-widget';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, TENANT } from '../support/backends.ts';
import { type Page, TestBrowser } from '../support/browser.ts';
import { type ChatMessage, OfficialClient } from '../support/official-client.ts';
import { packageSite } from '../support/our-client.ts';
import type { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

declare global {
  interface Window {
    conversation: Conversation;
    visit: Visit;
  }
}

/** What staff are told of a visitor. */
interface Row {
  readonly url?: string;
  readonly title?: string;
  readonly visits?: number;
  readonly tabs?: number;
}

let browser: TestBrowser;
let site: Site;

beforeAll(async () => {
  [browser, site] = await Promise.all([TestBrowser.launch(), packageSite('visit')]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

/** Begins the conversation of the page's visitor. */
async function converse(page: Page, server: string): Promise<void> {
  await page.evaluate(
    ([gatewayUrl, tenantId]) => {
      window.chat.configure({ gatewayUrl });
      window.visit = window.chat.followVisit();
      window.conversation = window.chat.createConversation(tenantId, {
        visit: window.visit,
        keepUnsent: true,
      });
      window.conversation.subscribe(() => undefined);
    },
    [server, TENANT] as const,
  );
}

const connected = (page: Page) =>
  until('the connection', () => page.evaluate(() => window.conversation.getSnapshot().isConnected));

const shown = (page: Page) =>
  page.evaluate(() =>
    window.conversation.getSnapshot().messages.map(({ text, state }) => [text, state]),
  );

/** The frames that a page sends from now on. */
function framesOf(page: Page): string[] {
  const frames: string[] = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => frames.push(String(payload))),
  );
  return frames;
}

async function said(agent: OfficialClient): Promise<ChatMessage[]> {
  const [user] = await agent.list();
  const answer: { messages?: ChatMessage[] } = await agent.socket.emitWithAck('join_conversation', {
    sessionId: user?.sessionId ?? '',
  });
  return answer.messages ?? [];
}

test('the handshake tells of the visit, and what changes is reported', async () => {
  await using server = await startServer();
  await using visitor = await browser.open(`${site.url}/?token=secret#part`);
  const { page } = visitor;
  const frames = framesOf(page);
  const addresses: string[] = [];
  page.on('websocket', (socket) => addresses.push(socket.url()));
  await converse(page, server.url);
  await connected(page);
  const connect = frames.find((frame) => frame.startsWith('40'));
  expect(JSON.parse(connect?.slice(2) ?? '')).toMatchObject({
    visitorId: expect.any(String),
    visit: {
      url: `${site.url}/`,
      firstPage: `${site.url}/`,
      title: 'page',
      visits: 1,
      elapsed: expect.any(Number),
    },
  });
  await page.evaluate(() => {
    history.pushState(null, '', '/cart?token=secret');
    document.title = 'Cart';
  });
  const report = await until('the report', () =>
    frames.find((frame) => frame.startsWith('42["update_presence"')),
  );
  expect(JSON.parse(report.slice(2))).toEqual([
    'update_presence',
    { url: `${site.url}/cart`, title: 'Cart' },
  ]);
  expect(addresses).toHaveLength(1);
  expect([...frames, ...addresses].join()).not.toContain('secret');
  expect(visitor.errors).toEqual([]);
});

test('staff see where the visitor is, and in which of their tabs', async () => {
  await using server = await startServer();
  using agent = await OfficialClient.admin(server.url);
  await using visitor = await browser.open(`${site.url}/`);
  const { page } = visitor;
  await converse(page, server.url);
  await agent.first('user_online', (row: Row) => row.title === 'page' && row.visits === 1);
  await page.evaluate(() => {
    history.pushState(null, '', '/cart');
    document.title = 'Cart';
  });
  await agent.first('user_online', (row: Row) => row.title === 'Cart');

  const other = await page.context().newPage();
  await other.goto(`${site.url}/index.html`);
  await converse(other, server.url);
  await agent.first('user_online', (row: Row) => row.url === `${site.url}/index.html`);
  // In headless browsers all tabs have the focus, so it is given back by hand.
  await page.evaluate(() => window.dispatchEvent(new Event('focus')));
  await until('the first tab again', async () => {
    const [row]: Row[] = await agent.list();
    return row?.url === `${site.url}/cart` && row.tabs === 2;
  });
});

test('the next page is part of the same visit', async () => {
  await using server = await startServer();
  await using visitor = await browser.open(`${site.url}/`);
  const { page } = visitor;
  await converse(page, server.url);
  const first = await page.evaluate(() => window.visit.getSnapshot());
  await page.goto(`${site.url}/index.html`);
  await converse(page, server.url);
  const next = await page.evaluate(() => window.visit.getSnapshot());
  expect(next).toMatchObject({
    url: `${site.url}/index.html`,
    firstPage: first.firstPage,
    startedAt: first.startedAt,
    visits: 1,
  });
});

test('what was written without a connection is sent by the next page, once, though the tab has a twin', async () => {
  const gone = await startServer();
  await using visitor = await browser.open(`${site.url}/`);
  const { page } = visitor;
  await converse(page, gone.url);
  await connected(page);
  await gone.program.kill();
  await until('the loss', async () => {
    const isUp = await page.evaluate(() => window.conversation.getSnapshot().isConnected);
    return !isUp;
  });
  await page.evaluate(() => window.conversation.send('Anybody there?'));
  const twin = await page.context().newPage();
  await twin.goto(`${site.url}/`);
  const kept = await page.evaluate(() => ({ ...sessionStorage }));
  await twin.evaluate((copy) => Object.assign(sessionStorage, copy), kept);

  await page.goto(`${site.url}/index.html`);
  await converse(page, gone.url);
  await converse(twin, gone.url);
  expect(await shown(page)).toEqual([['Anybody there?', 'pending']]);
  expect(await shown(twin)).toEqual([['Anybody there?', 'pending']]);

  await using server = await gone.restart();
  using agent = await OfficialClient.admin(server.url);
  for (const tab of [page, twin]) {
    await until('the delivery', async () => (await shown(tab))[0]?.[1] === 'delivered');
  }
  expect((await said(agent)).map(({ text }) => text)).toEqual(['Anybody there?']);
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
});

test('a first visit in several tabs at once is one visitor', async () => {
  await using server = await startServer();
  using agent = await OfficialClient.admin(server.url);
  await using visitor = await browser.open(`${site.url}/`);
  const context = visitor.page.context();
  const others = await Promise.all([context.newPage(), context.newPage()]);
  await Promise.all(others.map((page) => page.goto(`${site.url}/`)));
  const tabs = [visitor.page, ...others];
  await Promise.all(tabs.map((page) => converse(page, server.url)));
  await Promise.all(tabs.map((page) => connected(page)));
  expect(await agent.list()).toHaveLength(1);
});
