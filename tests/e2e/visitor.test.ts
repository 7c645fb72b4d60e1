/** A visitor on a shop's page with the script tag, and the dashboard that watches. Every page is an origin of its own. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer } from '../support/backends.ts';
import { type Page, TestBrowser } from '../support/browser.ts';
import { consumer, FIXTURES, viteBuild } from '../support/consumer.ts';
import { serve, type Site } from '../support/site.ts';
import { widgetFiles, widgetSite } from '../support/widget-site.ts';

let browser: TestBrowser;
let dashboards: Site;
let widget: string;

beforeAll(async () => {
  const [launched, built, files] = await Promise.all([
    TestBrowser.launch(),
    consumer(`${FIXTURES}vite-app`, 'visitor').then(viteBuild),
    widgetFiles('visitor-widget'),
  ]);
  browser = launched;
  widget = files;
  dashboards = await serve(built);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await dashboards[Symbol.asyncDispose]();
});

const rows = (page: Page) => page.getByRole('listitem');

test('the dashboard shows who opens the page, and no longer who has closed it', async () => {
  await using server = await startServer({ args: ['--offline-grace', '50ms'] });
  await using shop = await widgetSite(widget, { server: server.url });
  await using dashboard = await browser.open(`${dashboards.url}/?server=${server.url}`);
  await dashboard.page.getByText('Status: Real-time').waitFor();
  await dashboard.page.getByText('0 users online').waitFor();

  const visitor = await browser.open(`${shop.url}/shop`);
  await rows(dashboard.page).first().waitFor();
  expect(await rows(dashboard.page).allInnerTexts()).toEqual([
    expect.stringMatching(/^anonymous-\S+ - 127\.0\.0\.1/),
  ]);

  // Another visitor, then the first one leaves.
  await using other = await browser.open(`${shop.url}/shop`);
  await dashboard.page.getByText('2 users online').waitFor();
  await visitor[Symbol.asyncDispose]();
  await dashboard.page.getByText('1 users online').waitFor();
  for (const opened of [dashboard, other]) expect(opened.errors).toEqual([]);
});

test('two tabs of one visitor are one user, until both are closed', async () => {
  await using server = await startServer({ args: ['--offline-grace', '50ms'] });
  await using shop = await widgetSite(widget, { server: server.url });
  await using dashboard = await browser.open(`${dashboards.url}/?server=${server.url}`);
  await dashboard.page.getByText('Status: Real-time').waitFor();

  await using visitor = await browser.open(`${shop.url}/shop`);
  await dashboard.page.getByText('1 users online').waitFor();
  // Tabs share their storage, and with it who the visitor is.
  const tab = await visitor.page.context().newPage();
  await tab.goto(`${shop.url}/shop?tab=2`);
  await using stranger = await browser.open(`${shop.url}/shop`);
  await dashboard.page.getByText('2 users online').waitFor();
  await visitor.page.close();
  await stranger[Symbol.asyncDispose]();
  await dashboard.page.getByText('1 users online').waitFor();
  await tab.close();
  await dashboard.page.getByText('0 users online').waitFor();
});

test('a reload of the page does not flicker in the dashboard', async () => {
  await using server = await startServer({ args: ['--offline-grace', '5s'] });
  await using shop = await widgetSite(widget, { server: server.url });
  await using dashboard = await browser.open(`${dashboards.url}/?server=${server.url}`);
  await using visitor = await browser.open(`${shop.url}/shop`);
  await dashboard.page.getByText('1 users online').waitFor();
  await dashboard.page.evaluate(() => {
    const seen = ((window as Window & { seen?: string[] }).seen = [] as string[]);
    new MutationObserver(() => seen.push(document.body.innerText)).observe(document.body, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  await visitor.page.goto(`${shop.url}/shop?page=2`);
  await using _other = await browser.open(`${shop.url}/shop`);
  await dashboard.page.getByText('2 users online').waitFor();
  const seen = await dashboard.page.evaluate(() => (window as Window & { seen?: string[] }).seen);
  expect(seen?.filter((text) => text.includes('0 users online'))).toEqual([]);
});

test('storage that is blocked does not stop the widget', async () => {
  await using server = await startServer({ args: ['--offline-grace', '50ms'] });
  await using shop = await widgetSite(widget, { server: server.url });
  await using dashboard = await browser.open(`${dashboards.url}/?server=${server.url}`);
  await using visitor = await browser.open('about:blank');
  await visitor.page.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', {
      get() {
        throw new DOMException('denied', 'SecurityError');
      },
    });
  });
  await visitor.page.goto(`${shop.url}/shop`);
  await dashboard.page.getByText('1 users online').waitFor();
  expect(visitor.errors).toEqual([]);
});
