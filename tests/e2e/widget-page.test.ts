/** The widget in pages that were not made for it, and what a site does with it by commands. */
import { expect, test } from 'vitest';
import type { Page } from '../support/browser.ts';
import { OfficialClient } from '../support/official-client.ts';
import { serve } from '../support/site.ts';
import { inAnHour, jwt, SECRET } from '../support/token.ts';
import { until } from '../support/until.ts';
import { type WidgetPage, widgetSite } from '../support/widget-site.ts';
import { widgetStage } from '../support/widget-stage.ts';

const stage = widgetStage('widget-page', { args: ['--jwt-secret', SECRET] });

const site = (page: Partial<WidgetPage> = {}) => widgetSite(stage.files, { server: stage.server.url, ...page });
const bubble = (page: Page) => page.locator('.bubble');
const command = (page: Page, ...words: unknown[]) =>
  page.evaluate((words) => {
    const page = window as unknown as { ChatWidget?: { push(...commands: unknown[]): void } };
    (page.ChatWidget ||= [] as unknown[]).push(words);
  }, words);

async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox').fill(text);
  await page.getByRole('textbox').press('Enter');
  await page.locator('.own.delivered', { hasText: text }).waitFor();
}

/** The visitor of this site, as staff see them. */
const visitorOf = (agent: OfficialClient, url: string) =>
  agent.first<{ userId: string; sessionId: string; origin?: string }>(
    'user_online',
    ({ origin }) => origin === url,
  );

const POLICIES = {
  'trusted types': "require-trusted-types-for 'script'; trusted-types 'none'",
  'no inline styles': "style-src 'none'",
};

for (const [name, policy] of Object.entries(POLICIES)) {
  test(`a page's policy: ${name}`, async () => {
    await using shop = await site({ policy });
    await using opened = await stage.browser.open('about:blank');
    const { page } = opened;
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() !== 'log' && !/favicon|404/.test(message.text())) {
        complaints.push(message.text());
      }
    });
    await page.goto(`${shop.url}/shop`);
    await bubble(page).click();
    await write(page, 'Does it work?');
    expect((await page.getByRole('dialog').boundingBox())?.width).toBe(360);
    expect(complaints).toEqual([]);
    expect(opened.errors).toEqual([]);
  });
}

test('a policy that forbids the connection is told in the panel, and once in the console', async () => {
  await using shop = await site({ policy: "connect-src 'self'" });
  await using opened = await stage.browser.open('about:blank');
  const { page } = opened;
  const warnings: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'warning') warnings.push(message.text());
  });
  await page.goto(`${shop.url}/shop`);
  await bubble(page).click();
  await page.getByText('This page or your browser blocks the chat.').waitFor();
  expect(warnings.filter((words) => words.includes('add it to connect-src'))).toHaveLength(1);
  expect(opened.errors).toEqual([]);
});

test("a page's own rules do not reach it, and its own do not reach the page", async () => {
  const head = `<style>
    * { display: none !important; color: red !important; font: 5px serif !important; all: unset !important; }
    html, body, h1 { display: block !important; }
    div { position: static !important; transform: scale(3) !important; opacity: 0 !important; z-index: -1 !important; }
  </style>`;
  await using hostile = await site({ head });
  await using plain = await site();
  const boxes = [];
  for (const { url } of [plain, hostile]) {
    await using opened = await stage.browser.open(`${url}/shop`, { reducedMotion: 'reduce' });
    const { page } = opened;
    await bubble(page).click();
    await page.getByRole('textbox').waitFor();
    boxes.push(await Promise.all(
      [bubble(page), page.getByRole('dialog'), page.getByRole('textbox')].map((part) => part.boundingBox()),
    ));
    expect(opened.errors).toEqual([]);
  }
  expect(boxes[1]).toEqual(boxes[0]);
});

test('quirks mode, and a script that runs before there is a body', async () => {
  const config = JSON.stringify({ tenantId: 'demo', baseUrl: stage.server.url });
  await using shop = await serve(stage.files, {
    '/shop': `<title>old</title><script>window.ChatWidgetConfig = ${config}</script><script src="/widget.v1.js"></script><p>text`,
  });
  await using opened = await stage.browser.open(`${shop.url}/shop`);
  const { page } = opened;
  expect(await page.evaluate(() => document.compatMode)).toBe('BackCompat');
  await bubble(page).click();
  await write(page, 'Hello');
  expect(opened.errors).toEqual([]);
});

test('a page that empties its body, and even its root, still has it', async () => {
  await using shop = await site();
  await using opened = await stage.browser.open(`${shop.url}/shop`);
  const { page } = opened;
  await bubble(page).waitFor();
  await page.evaluate(() => {
    document.body.replaceWith(document.createElement('body'));
    [...document.documentElement.children].filter(({ shadowRoot }) => shadowRoot)[0]?.remove();
  });
  await bubble(page).click();
  await write(page, 'Still here');
  await page.evaluate(() => {
    const root = document.createElement('html');
    root.append(document.createElement('head'), document.createElement('body'));
    document.documentElement.replaceWith(root);
  });
  await write(page, 'And in another root');
  expect(opened.errors).toEqual([]);
});

test("what is typed is not the page's, wherever it listens", async () => {
  await using shop = await site();
  await using opened = await stage.browser.open(`${shop.url}/shop`);
  const { page } = opened;
  await bubble(page).click();
  await page.evaluate(() => {
    const heard = ((window as { heard?: string[] }).heard = []) as string[];
    for (const type of ['keydown', 'keypress', 'keyup']) {
      for (const capture of [true, false]) {
        window.addEventListener(type, (event) => heard.push(event.type), capture);
        document.addEventListener(type, (event) => heard.push(event.type), capture);
      }
    }
  });
  await page.getByRole('textbox').pressSequentially('abc');
  await page.keyboard.press('Enter');
  await page.locator('.own.delivered').waitFor();
  const heard = () => page.evaluate(() => (window as { heard?: string[] }).heard);
  expect(await heard()).toEqual([]);
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.keyboard.press('a');
  expect((await heard())?.length).toBe(12);
});

test('who writes for minutes is there all the time', async () => {
  await using shop = await site();
  using agent = await OfficialClient.admin(stage.server.url);
  await using opened = await stage.browser.open('about:blank');
  const { page } = opened;
  await page.clock.install();
  await page.goto(`${shop.url}/shop`);
  await bubble(page).click();
  await page.getByText('Online').waitFor();
  for (const word of ['Is ', 'the ', 'blue ', 'one ']) {
    await page.getByRole('textbox').pressSequentially(word);
    await page.clock.fastForward(40_000);
  }
  // What has been told of the visitor before, staff have heard before this.
  await page.evaluate(() => history.pushState(null, '', '/bags'));
  await page.clock.fastForward(2000);
  type Seen = { readonly origin?: string; readonly url?: string; readonly idleSince?: string };
  await agent.first<Seen>('user_online', ({ url }) => url === `${shop.url}/bags`);
  const seen = agent.all<Seen>('user_online').filter(({ origin }) => origin === shop.url);
  expect(seen.filter(({ idleSince }) => idleSince)).toEqual([]);
  expect(opened.errors).toEqual([]);
});

test('storage that is blocked is no hindrance', async () => {
  await using shop = await site();
  await using opened = await stage.browser.open('about:blank');
  const { page } = opened;
  await page.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage']) {
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('denied', 'SecurityError');
        },
      });
    }
  });
  await page.goto(`${shop.url}/shop`);
  await bubble(page).click();
  await write(page, 'Hello');
  expect(opened.errors).toEqual([]);
});

test('before consent nothing is asked and nothing is stored; then the visitor is there', async () => {
  await using shop = await site({ config: { autoConnect: false } });
  using agent = await OfficialClient.admin(stage.server.url);
  await using opened = await stage.browser.open('about:blank');
  const { page } = opened;
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('websocket', (socket) => asked.push(socket.url()));
  await page.goto(`${shop.url}/shop`);
  await bubble(page).waitFor();
  // By the time a later page of another visitor is there, this one would have been, too.
  await using plain = await site();
  await using later = await stage.browser.open(`${plain.url}/shop`);
  await visitorOf(agent, plain.url);
  expect(asked.filter((url) => url.includes(new URL(stage.server.url).host))).toEqual([]);
  expect(await page.evaluate(() => localStorage.length + sessionStorage.length)).toBe(0);
  await command(page, 'connect');
  await visitorOf(agent, shop.url);
  expect(later.errors).toEqual([]);
  expect(opened.errors).toEqual([]);
});

test('commands from before the script has loaded run after it; events reach the page', async () => {
  const head = `<script>
    window.seen = [];
    (window.ChatWidget ||= []).push(['on', 'open', () => { seen.push('open'); throw new Error('of the page'); }], ['open']);
    addEventListener('chat-widget:message', ({ detail }) => seen.push(detail.sender + ' ' + detail.text));
  </script>`;
  await using shop = await site({ head });
  await using opened = await stage.browser.open(`${shop.url}/shop`);
  const { page } = opened;
  await write(page, 'Hello');
  const seen = () => page.evaluate(() => (window as { seen?: string[] }).seen);
  await until('the events', async () => (await seen())?.length === 2);
  expect(await seen()).toEqual(['open', 'user Hello']);
  expect(opened.errors).toEqual([expect.stringContaining('of the page')]);
});

test('open and draft survive the next page, and what was read in one tab is read in all', async () => {
  await using shop = await site();
  using agent = await OfficialClient.admin(stage.server.url);
  await using opened = await stage.browser.open(`${shop.url}/shop`);
  const { page } = opened;
  const { sessionId } = await visitorOf(agent, shop.url);
  await bubble(page).click();
  await write(page, 'Hello');
  await page.getByRole('textbox').fill('Half a sen');
  await page.goto(`${shop.url}/shop?page=2`);
  await page.getByRole('dialog').waitFor();
  expect(await page.getByRole('textbox').inputValue()).toBe('Half a sen');
  await page.locator('.own .text', { hasText: 'Hello' }).waitFor();

  const tab = await page.context().newPage();
  await tab.goto(`${shop.url}/shop`);
  await page.getByRole('button', { name: 'Close chat' }).click();
  await tab.locator('.bubble').waitFor();
  const again = await until('the conversation', async () =>
    agent.all<{ userId: string; sessionId: string }>('user_online').find((user) => user.sessionId !== sessionId),
  );
  await agent.send('Yes?', { sessionId: again.sessionId });
  await page.locator('.read').waitFor();
  await tab.locator('.read').waitFor();
  await tab.locator('.bubble').click();
  await page.locator('.unread').waitFor({ state: 'hidden' });
  expect(await page.locator('.read').count()).toBe(0);
  expect(opened.errors).toEqual([]);
});

test('a visitor who is identified has that user\'s conversation, and none when they leave', async () => {
  const token = jwt({ sub: 'ann', tenantId: 'demo', role: 'user', exp: inAnHour() });
  await using shop = await site();
  await using opened = await stage.browser.open(`${shop.url}/shop`);
  const { page } = opened;
  await command(page, 'identify', { token });
  await bubble(page).click();
  await write(page, 'I am Ann');
  await command(page, 'identify', null);
  await page.locator('.own').waitFor({ state: 'detached' });
  await write(page, 'I am nobody');
  await command(page, 'identify', { token });
  await page.locator('.own .text', { hasText: 'I am Ann' }).waitFor();
  expect(await page.getByText('I am nobody').count()).toBe(0);

  await command(page, 'shutdown');
  expect(await page.locator('.bubble').count()).toBe(0);
  expect(await page.evaluate(() => sessionStorage.getItem('amoiq-chat-widgetdemo'))).toBeNull();
  await command(page, 'boot');
  await bubble(page).waitFor();
  expect(opened.errors).toEqual([]);
});

test('whoever reads further up stays there, and is told of what is new', async () => {
  await using shop = await site();
  using agent = await OfficialClient.admin(stage.server.url);
  await using opened = await stage.browser.open(`${shop.url}/shop`);
  const { page } = opened;
  const { sessionId } = await visitorOf(agent, shop.url);
  await bubble(page).click();
  await write(page, Array.from({ length: 40 }, (_, line) => `line ${line}`).join('\n'));
  const log = page.locator('.log');
  await log.evaluate((element) => {
    element.scrollTop = 5;
  });
  const pill = page.getByRole('button', { name: 'New messages' });
  await until('the place', async () => (await log.evaluate(({ scrollTop }) => scrollTop)) === 5);
  await agent.send('Something new', { sessionId });
  await pill.waitFor();
  expect(await log.evaluate(({ scrollTop }) => scrollTop)).toBe(5);
  await pill.click();
  await pill.waitFor({ state: 'hidden' });
  expect(
    await log.evaluate((at) => at.scrollHeight - at.scrollTop - at.clientHeight),
  ).toBeLessThan(2);
  expect(opened.errors).toEqual([]);
});

test('nothing of the page moves, and nothing of it is printed', async () => {
  await using shop = await site({ head: '<style>body { height: 2000px; margin: 0 }</style>' });
  await using opened = await stage.browser.open(`${shop.url}/shop`);
  const { page } = opened;
  await bubble(page).click();
  await page.getByRole('textbox').waitFor();
  const shifts = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        new PerformanceObserver((list) => resolve(list.getEntries().length)).observe({
          type: 'layout-shift',
          buffered: true,
        });
        requestAnimationFrame(() => setTimeout(() => resolve(0)));
      }),
  );
  expect(shifts).toBe(0);
  expect(await page.evaluate(() => document.body.scrollHeight)).toBe(2000);
  await page.emulateMedia({ media: 'print' });
  expect(await bubble(page).isVisible()).toBe(false);
});
