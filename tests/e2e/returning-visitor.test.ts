/** A visitor without an account comes back to the page, and the conversation is still theirs. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer } from '../support/backends.ts';
import { type Page, TestBrowser } from '../support/browser.ts';
import { type ChatMessage, OfficialClient, type OnlineUser } from '../support/official-client.ts';
import { OurClient, packageSite } from '../support/our-client.ts';
import type { Site } from '../support/site.ts';
import { until } from '../support/until.ts';
import { widgetFiles, widgetSite } from '../support/widget-site.ts';

let browser: TestBrowser;
let widget: string;
let site: Site;

beforeAll(async () => {
  [browser, widget, site] = await Promise.all([
    TestBrowser.launch(),
    widgetFiles('returning-widget'),
    packageSite('returning-package'),
  ]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

const kept = (page: Page) =>
  page.evaluate(() =>
    Object.values(localStorage).find((value: string) => value.startsWith('visitor.')),
  );

test('after a reload the widget is the same visitor in the same conversation', async () => {
  await using server = await startServer();
  await using shop = await widgetSite(widget, { server: server.url });
  using agent = await OfficialClient.admin(server.url);
  await using visitor = await browser.open('about:blank');
  const { page } = visitor;
  const addresses: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  page.on('websocket', (socket) => addresses.push(socket.url()));
  const write = async (text: string) => {
    await page.getByRole('textbox').fill(text);
    await page.getByRole('textbox').press('Enter');
  };
  const said = async (user: OnlineUser) => {
    const { sessionId } = user;
    const answer: { messages: ChatMessage[] } = await agent.socket.emitWithAck(
      'join_conversation',
      { sessionId },
    );
    return answer.messages.map(({ text }) => text);
  };

  await page.goto(`${shop.url}/shop`);
  const first = await until('the visitor', async () => (await agent.list())[0]);
  await page.getByRole('button', { name: 'Open chat' }).click();
  await write('Before');
  await until('the first message', async () => (await said(first)).length === 1);
  const token = await kept(page);
  expect(token).toBeDefined();

  await page.reload();
  const again = await until('the visitor again', async () =>
    (await agent.list()).find(({ sessionId }) => sessionId !== first.sessionId),
  );
  expect(again.userId).toBe(first.userId);
  // The panel that was open is open again.
  await page.getByText('Before').waitFor();
  await write('After');
  await until('the second message', async () => (await said(again)).length === 2);
  expect(await said(again)).toEqual(['Before', 'After']);
  // As on the first page, each once and in order, but for the greeting.
  const shown = await page.locator('.log .text').allTextContents();
  expect(shown.slice(1)).toEqual(['Before', 'After']);
  expect(await kept(page)).toBe(token);
  expect(addresses.length).toBeGreaterThan(2);
  for (const address of addresses) expect(address).not.toContain('visitor.');
  expect(visitor.errors).toEqual([]);
});

test('after a reload the package reads the history, and another visitor does not', async () => {
  await using server = await startServer();
  await using mine = await OurClient.visitor(browser, site, { server: server.url });
  const { page } = mine;
  await until('a token', () => kept(page));
  await page.evaluate(() => window.socket.sendMessage('Hello'));
  const history = (client: OurClient) =>
    client.page.evaluate(async () => {
      const messages = await new window.chat.ChatAPI('demo', {}).getMessages();
      return messages.map(({ text }) => text);
    });

  await page.reload();
  await mine.configure(server.url);
  expect(await history(mine)).toEqual(['Hello']);
  await using other = await OurClient.visitor(browser, site, { server: server.url });
  await until('a token of their own', () => kept(other.page));
  expect(await history(other)).toEqual([]);
});
