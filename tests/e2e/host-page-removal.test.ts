/** Pages that want the widget later, or not any more: before it is asked for it does nothing, and when it goes it leaves nothing. */
import { expect, test } from 'vitest';
import type { Page } from '../support/browser.ts';
import { bubble, converse, hostSite, openHost, troubleOf, visitorOf } from '../support/host-page.ts';
import { OfficialClient } from '../support/official-client.ts';
import { until } from '../support/until.ts';
import { widgetStage } from '../support/widget-stage.ts';

const stage = widgetStage('host-page-removal', { args: ['--offline-grace', '50ms'] });

const command = (page: Page, name: string) =>
  page.evaluate((name) => {
    const chat = window as unknown as { ChatWidget: { push(command: [string]): void } };
    chat.ChatWidget.push([name]);
  }, name);

/** Who listens on the things that every script of the page has in common, by kind of event. */
async function listeners(page: Page): Promise<readonly string[]> {
  const devtools = await page.context().newCDPSession(page);
  const kinds: string[] = [];
  for (const expression of ['window', 'document', 'document.documentElement', 'document.body']) {
    const { result } = await devtools.send('Runtime.evaluate', { expression });
    if (!result.objectId) throw new Error(`there is no ${expression}`);
    const { objectId } = result;
    const found = await devtools.send('DOMDebugger.getEventListeners', { objectId });
    kinds.push(...found.listeners.map(({ type }) => `${expression} ${type}`));
  }
  await devtools.detach();
  return kinds.toSorted();
}

test('shut down it is gone from the page, and so is the visitor; booted again it is the same visitor', async () => {
  await using site = await hostSite(stage.files, stage.server.url);
  await using empty = await hostSite(stage.files, stage.server.url, { times: 0 });
  using agent = await OfficialClient.admin(stage.server.url);
  await using without = await openHost(stage.browser, `${empty.url}/shop`);
  await using opened = await openHost(stage.browser, `${site.url}/shop`);
  const { page } = opened;
  const visitor = await visitorOf(agent, `${site.url}/shop`);
  await converse(page, agent, visitor);

  await command(page, 'shutdown');
  await agent.offline(visitor.userId);
  expect(await page.getByRole('button').count()).toBe(0);
  expect(await page.evaluate(() => document.documentElement.children.length)).toBe(2);
  // The script itself stays, to be booted again; whatever else it listened to is not listened to any more.
  expect(await listeners(page)).toEqual(await listeners(without.page));

  await command(page, 'boot');
  const again = await until('the visitor again', async () =>
    (await agent.list()).find(({ sessionId }) => sessionId !== visitor.sessionId),
  );
  expect(again.userId).toBe(visitor.userId);
  await converse(page, agent, again);
  expect(await troubleOf(page)).toEqual({ uncaught: [], refused: [], shifts: 0 });
});

test('a page that waits for consent is asked for nothing and keeps nothing until the visitor opens the chat', async () => {
  await using site = await hostSite(stage.files, stage.server.url, { config: { autoConnect: false } });
  using agent = await OfficialClient.admin(stage.server.url);
  await using opened = await openHost(stage.browser, 'about:blank');
  const { page } = opened;
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('websocket', (socket) => asked.push(socket.url()));
  await page.goto(`${site.url}/shop`);
  await bubble(page).waitFor();
  // What it would do without being asked it would do at the latest when the page has nothing else to do.
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
  const host = new URL(stage.server.url).host;
  expect(asked.filter((url) => new URL(url).host === host)).toEqual([]);
  const kept = () => page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage), document.cookie].join(''));
  expect(await kept()).toBe('');

  await bubble(page).click();
  await converse(page, agent, await visitorOf(agent, `${site.url}/shop`));
  expect(asked.some((url) => new URL(url).host === host)).toBe(true);
  expect(await kept()).not.toBe('');
  expect(opened.errors).toEqual([]);
});
