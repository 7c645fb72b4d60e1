/** A visitor writes in the widget's panel and an agent answers. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer } from '../support/backends.ts';
import { type Page, TestBrowser } from '../support/browser.ts';
import { type ChatMessage, OfficialClient, type OnlineUser } from '../support/official-client.ts';
import { until } from '../support/until.ts';
import { widgetFiles, widgetSite } from '../support/widget-site.ts';

let browser: TestBrowser;
let widget: string;

beforeAll(async () => {
  [browser, widget] = await Promise.all([TestBrowser.launch(), widgetFiles('conversation')]);
});

afterAll(() => browser[Symbol.asyncDispose]());

async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox').fill(text);
  await page.getByRole('textbox').press('Enter');
}

test('question and answer', async () => {
  await using server = await startServer();
  await using shop = await widgetSite(widget, { server: server.url });
  using agent = await OfficialClient.admin(server.url);
  await using visitor = await browser.open(`${shop.url}/shop`);
  const { page } = visitor;
  const user = await agent.first<OnlineUser>('user_online');
  const sessionId = user.sessionId ?? '';
  await agent.socket.emitWithAck('join_conversation', { sessionId });

  await page.getByRole('button', { name: 'Open chat' }).click();
  await write(page, 'Is the <b>blue</b> one in stock?');
  const { message } = await agent.first<{ message: ChatMessage }>('meta_message_created');
  expect(message).toMatchObject({ text: 'Is the <b>blue</b> one in stock?', sender: 'user' });

  await agent.send('Yes, it is', { sessionId });
  await page.getByText('Yes, it is').waitFor();
  // As text, once, and not as markup.
  expect(await page.getByText('Is the <b>blue</b> one in stock?').count()).toBe(1);
  expect(visitor.errors).toEqual([]);
});

test('a message written while the server is away is not lost', async () => {
  const first = await startServer();
  await using shop = await widgetSite(widget, { server: first.url });
  await using visitor = await browser.open(`${shop.url}/shop`);
  const { page } = visitor;
  {
    using agent = await OfficialClient.admin(first.url);
    await until('the visitor', async () => (await agent.list()).length === 1);
  }
  await page.getByRole('button', { name: 'Open chat' }).click();
  await first.program.kill();
  await write(page, 'Anybody there?');

  await using second = await first.restart();
  using agent = await OfficialClient.admin(second.url);
  // Listed anew each time: a first attempt to come back may have been given up, and be listed for a moment.
  const { messages } = await until('the message', async () => {
    for (const { sessionId } of await agent.list()) {
      const joined: { messages?: ChatMessage[] } = await agent.socket.emitWithAck(
        'join_conversation',
        { sessionId },
      );
      if (joined.messages?.length) return { messages: joined.messages };
    }
    return undefined;
  });
  expect(messages.map(({ text }) => text)).toEqual(['Anybody there?']);
  expect(visitor.errors).toEqual([]);
});
