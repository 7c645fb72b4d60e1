/**
 * A page that is closed, reloaded, left and come back to. Whoever leaves says goodbye, so that nobody has to find out; the grace
 * time tells a reload from an end; a page that comes out of the browser's cache goes on.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer } from '../support/backends.ts';
import { type Page, TestBrowser } from '../support/browser.ts';
import { consumer, FIXTURES, pageWith, viteBuild } from '../support/consumer.ts';
import { Observer } from '../support/observer.ts';
import { OfficialClient } from '../support/official-client.ts';
import { OfficialServer } from '../support/official-server.ts';
import { serve, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';
import { widgetFiles, widgetSite } from '../support/widget-site.ts';

let browser: TestBrowser;
let dashboards: Site;
let widget: string;
let elsewhere: Site;

beforeAll(async () => {
  const [launched, built, files] = await Promise.all([
    TestBrowser.launch({ backForwardCache: true }),
    consumer(`${FIXTURES}vite-app`, 'leaving').then(viteBuild),
    widgetFiles('leaving-widget'),
  ]);
  browser = launched;
  widget = files;
  dashboards = await serve(built);
  elsewhere = await serve(files, { '/index.html': pageWith('') });
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await dashboards[Symbol.asyncDispose]();
  await elsewhere[Symbol.asyncDispose]();
});

const GOODBYE = 'client namespace disconnect';

/** Notes whether the page's showings are out of the cache; to be called before the page loads. */
const noteShowings = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    const showings = ((window as Window & { showings?: boolean[] }).showings = [] as boolean[]);
    addEventListener('pageshow', (event) => showings.push(event.persisted));
  });

const showings = (page: Page): Promise<boolean[] | undefined> =>
  page.evaluate(() => (window as Window & { showings?: boolean[] }).showings);

/** The page's visitor, the only one there is, once the page has what makes them the same one after it was left. */
async function knownUser(observer: Observer, page: Page): Promise<string> {
  await until('a token', () =>
    page.evaluate(() => Object.values(localStorage).some((value: string) => value.startsWith('visitor.'))),
  );
  return until('one user', () => observer.roster.size === 1 && [...observer.roster.keys()][0]);
}

/** Leaves the page and comes back to the very same one. */
async function leaveAndComeBack(page: Page, gone: () => Promise<unknown>): Promise<void> {
  await page.goto(elsewhere.url);
  await gone();
  await page.goBack({ waitUntil: 'commit' });
  await until('the page to be shown', async () => (await showings(page))?.length === 2);
  expect(await showings(page)).toEqual([false, true]);
}

test('the widget says goodbye when its tab is closed and when its page is left', async () => {
  await using server = await OfficialServer.start();
  await using shop = await widgetSite(widget, { server: server.url });
  await using closed = await browser.open(`${shop.url}/shop`);
  await until('the visitor', () => server.connected === 1);
  await closed.page.close();
  await until('the goodbye', () => server.left.length === 1);

  await using left = await browser.open(`${shop.url}/shop`);
  await until('another visitor', () => server.connected === 1);
  await left.page.goto(elsewhere.url);
  await until('another goodbye', () => server.left.length === 2);
  expect(server.left).toEqual([GOODBYE, GOODBYE]);
});

test('a closed tab is told after the grace time, a reload never', async () => {
  await using server = await startServer({ args: ['--offline-grace', '5s'] });
  await using shop = await widgetSite(widget, { server: server.url });
  const observer = Observer.watch('observer', server.url);
  using _observing = observer.client;
  await until('the observer', () => observer.isWatching);
  await using opened = await browser.open(`${shop.url}/shop`);
  const userId = await knownUser(observer, opened.page);

  await opened.page.reload();
  await until('the visitor again', () => observer.times('online', userId) === 2);
  // Announced after whatever the reload may have announced.
  using _barrier = await OfficialClient.visitor(server.url, 'barrier');
  await until('the barrier', () => observer.roster.has('anonymous-barrier'));
  expect(observer.times('offline', userId)).toBe(0);

  await opened.page.close();
  await until('the end', () => observer.times('offline', userId) === 1);
});

test('a widget that comes out of the cache is online again and can talk', async () => {
  await using server = await startServer({ args: ['--offline-grace', '50ms'] });
  await using shop = await widgetSite(widget, { server: server.url });
  const observer = Observer.watch('observer', server.url);
  using _observing = observer.client;
  await until('the observer', () => observer.isWatching);
  await using opened = await browser.open('about:blank');
  const { page } = opened;
  await noteShowings(page);
  await page.goto(`${shop.url}/shop`);
  const userId = await knownUser(observer, page);

  await leaveAndComeBack(page, () =>
    until('the end', () => observer.times('offline', userId) === 1),
  );
  await until('the visitor again', () => observer.times('online', userId) === 2);
  await page.getByRole('button').first().click();
  await page.getByRole('textbox').fill('I am back');
  await page.getByRole('textbox').press('Enter');
  await page.getByText('I am back').waitFor();
  expect(opened.errors).toEqual([]);
});

test('a chat that was open when its page was left is open and whole when it comes back', async () => {
  await using server = await startServer({ args: ['--offline-grace', '50ms'] });
  await using shop = await widgetSite(widget, { server: server.url });
  const observer = Observer.watch('observer', server.url);
  using _observing = observer.client;
  await until('the observer', () => observer.isWatching);
  await using opened = await browser.open('about:blank');
  const { page } = opened;
  await noteShowings(page);
  await page.goto(`${shop.url}/shop`);
  const userId = await knownUser(observer, page);
  await page.locator('.bubble').click();
  await page.getByRole('textbox').fill('Before');
  await page.getByRole('textbox').press('Enter');
  await page.locator('.own.delivered').waitFor();
  await page.getByRole('textbox').fill('Half a sen');

  await leaveAndComeBack(page, () => until('the end', () => observer.times('offline', userId) === 1));
  await page.getByText('Online').waitFor();
  expect(await page.getByRole('textbox').inputValue()).toBe('Half a sen');
  await page.getByRole('textbox').press('Enter');
  await page.locator('.own.delivered', { hasText: 'Half a sen' }).waitFor();
  expect(await page.locator('.own').count()).toBe(2);
  expect(opened.errors).toEqual([]);
});

test('a dashboard that comes out of the cache is live again and shows who came meanwhile', async () => {
  await using server = await startServer({ args: ['--offline-grace', '50ms'] });
  using before = await OfficialClient.visitor(server.url, 'before');
  await using opened = await browser.open('about:blank');
  const { page } = opened;
  await noteShowings(page);
  await page.goto(`${dashboards.url}/?server=${server.url}`);
  await page.getByText('Status: Real-time').waitFor();
  await page.getByText('anonymous-before').waitFor();

  await leaveAndComeBack(page, async () => {
    before.close();
    await OfficialClient.visitor(server.url, 'meanwhile');
  });
  await page.getByText('anonymous-meanwhile').waitFor();
  await page.getByText('anonymous-before').waitFor({ state: 'detached' });
  await page.getByText('Status: Real-time').waitFor();
  using _after = await OfficialClient.visitor(server.url, 'after');
  await page.getByText('anonymous-after').waitFor();
  expect(opened.errors).toEqual([]);
});
