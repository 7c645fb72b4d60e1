/**
 * The desk's list of visitors in a browser, with 100,000 of them: scrolled, searched, sorted, grouped, by pointer and keyboard,
 * while they come and go.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Page, TestBrowser, type TestPage } from '../support/browser.ts';
import { DeskServer, type DeskUser } from '../support/desk-server.ts';
import { address, exampleDashboard, rows } from '../support/examples.ts';
import type { Site } from '../support/site.ts';

const MANY = 100_000;
/** How many pages the visitors are on. */
const PAGES = 977;
const NEWEST = Date.parse('2024-01-15T10:30:00.000Z');

const name = (index: number) => `user-${String(index).padStart(6, '0')}`;
/** The lower the number, the later they have come: so they stand in the order of their numbers. */
const user = (index: number): DeskUser => ({
  userId: name(index),
  sessionId: `s${index}`,
  connectedAt: new Date(NEWEST - index * 1000).toISOString(),
  startedAt: new Date(NEWEST - index * 1000).toISOString(),
  domain: index % 4 === 0 ? 'outlet.example' : 'shop.example',
  url: `https://shop.example/product/${index % PAGES}`,
  title: `Product ${index % PAGES}`,
  visits: (index % 3) + 1,
  ...(index % 5 === 0 && { idleSince: new Date(NEWEST).toISOString() }),
  ...(index % 7 === 0 && { tabs: 2 }),
});

let browser: TestBrowser;
let desk: Site;

beforeAll(async () => {
  [browser, desk] = await Promise.all([TestBrowser.launch(), exampleDashboard('desk-visitors')]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await desk[Symbol.asyncDispose]();
});

const grid = (page: Page) => page.getByRole('grid');
const row = (page: Page, text: string) => rows(page).filter({ hasText: text });
const selected = (page: Page) => page.locator('[role=grid] [role=row][aria-selected=true]');
const rowCount = (page: Page, count: number) =>
  page.locator(`[role=grid][aria-rowcount="${count + 1}"]`).waitFor();
const whole = { viewport: { width: 1440, height: 900 } };

/** Scrolls in steps, one a frame, and looks at each frame whether every row stands where its user belongs. */
const scrollThrough = (page: Page, steps: number) =>
  grid(page).evaluate(async (element, steps) => {
    const misplaced: string[] = [];
    let seen = 0;
    for (let step = 0; step < steps; step++) {
      element.scrollTop = (step / steps) * element.scrollHeight;
      await new Promise(requestAnimationFrame);
      for (const shown of element.querySelectorAll<HTMLElement>('.rows [role=row]:not([aria-busy=true])')) {
        const number = Number(/user-(\d+)/.exec(shown.innerText)?.[1]);
        seen++;
        if (number !== Number(shown.ariaRowIndex) - 2) misplaced.push(shown.innerText);
      }
    }
    return { misplaced, seen };
  }, steps);

test('100,000 are scrolled, searched, filtered, sorted and grouped', async () => {
  await using server = await DeskServer.start(Array.from({ length: MANY }, (_, index) => user(index)));
  await using opened = await browser.open(address(desk, server), whole);
  const { page } = opened;
  await rowCount(page, MANY);
  await page.getByText('100,000').first().waitFor();
  await row(page, name(0)).waitFor();
  expect(await rows(page).count()).toBeLessThan(60);

  const { misplaced, seen } = await scrollThrough(page, 60);
  expect(misplaced).toEqual([]);
  expect(seen).toBeGreaterThan(60);

  // The other way round: the last one first.
  await page.getByRole('columnheader', { name: 'On site' }).getByRole('button').click();
  await row(page, name(MANY - 1)).waitFor();
  await page.locator('[role=columnheader][aria-sort=descending]').getByText('On site').waitFor();
  expect(await grid(page).evaluate(({ scrollTop }) => scrollTop)).toBe(0);

  const all = Array.from({ length: MANY }, (_, index) => user(index));
  const search = page.getByLabel('Search visitors');
  await search.fill('product 12');
  const found = all.filter(({ userId, url, title, domain }) =>
    ['product', '12'].every((word) => `${userId} ${url} ${title} ${domain}`.toLowerCase().includes(word)),
  );
  await rowCount(page, found.length);
  await search.fill('');

  await page.getByLabel('State').selectOption('Idle');
  await page.getByLabel('Visits').selectOption('Returning');
  await page.getByLabel('Domain').selectOption({ index: 2 });
  const narrowed = all.filter(
    ({ idleSince, visits = 1, domain }) => idleSince && visits > 1 && domain === 'outlet.example',
  );
  await rowCount(page, narrowed.length);
  await page.getByRole('button', { name: 'Show everybody' }).click();
  await rowCount(page, MANY);

  // By page: the number beside a page is that of the rows it leaves.
  await page.getByRole('button', { name: 'By page' }).click();
  const largest = page.getByRole('region', { name: 'By page' }).getByRole('button').first();
  await largest.click();
  await rowCount(page, Math.ceil(MANY / PAGES));
  expect(await largest.innerText()).toContain(String(Math.ceil(MANY / PAGES)));
  await largest.click();
  await rowCount(page, MANY);
  expect(opened.errors).toEqual([]);
});

test('what is under the pointer stays there while others come, go and change', async () => {
  const few = Array.from({ length: 400 }, (_, index) => user(index));
  await using server = await DeskServer.start(few);
  await using opened = await browser.open(address(desk, server), whole);
  const { page } = opened;
  await row(page, name(5)).hover();
  const place = () => row(page, name(5)).evaluate((element) => element.getBoundingClientRect().top);
  const before = await place();

  const newcomer = (index: number): DeskUser => ({
    ...user(0),
    userId: `newcomer-${index}`,
    startedAt: new Date(NEWEST + 1000 + index).toISOString(),
  });
  for (let index = 0; index < 7; index++) server.online(newcomer(index));
  await rowCount(page, 407);
  expect(await place()).toBe(before);
  server.offline('newcomer-3');
  server.offline(name(2));
  await rowCount(page, 405);
  expect(await place()).toBe(before);
  // A neighbour who is sorted to elsewhere takes nobody along.
  server.online({ ...user(6), startedAt: new Date(NEWEST + 9000).toISOString(), title: 'Elsewhere' });
  await page.locator('[role=row][aria-rowindex="2"]').filter({ hasText: name(6) }).waitFor();
  expect(await place()).toBe(before);

  // Untouched and at its top, the list shows who has just come.
  await page.mouse.move(0, 0);
  await grid(page).evaluate((element) => element.scrollTo(0, 0));
  server.online({ ...newcomer(21), startedAt: new Date(NEWEST + 60_000).toISOString() });
  await page.locator('[role=row][aria-rowindex="2"]').filter({ hasText: 'newcomer-21' }).waitFor();
  expect(await grid(page).evaluate(({ scrollTop }) => scrollTop)).toBe(0);
  expect(opened.errors).toEqual([]);
});

test('the selection is a visitor’s, and goes with them', async () => {
  await using server = await DeskServer.start(Array.from({ length: 60 }, (_, index) => user(index)));
  await using opened = await browser.open(address(desk, server), whole);
  const { page } = opened;
  await row(page, name(3)).click();
  await page.getByRole('heading', { name: name(3) }).waitFor();
  expect(await selected(page).innerText()).toContain(name(3));
  await page.getByRole('columnheader', { name: 'Visitor' }).getByRole('button').click();
  await page.getByRole('columnheader', { name: 'Visitor' }).getByRole('button').click();
  await row(page, name(59)).waitFor();
  await grid(page).evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await row(page, name(3)).waitFor();
  expect(await selected(page).innerText()).toContain(name(3));
  server.online({ ...user(3), title: 'Checkout' });
  await page.getByText('Checkout').first().waitFor();
  expect(await selected(page).innerText()).toContain('Checkout');
});

test('the selection of a visitor who leaves goes to the next one, and nothing is opened', async () => {
  await using server = await DeskServer.start(Array.from({ length: 60 }, (_, index) => user(index)));
  await using opened = await browser.open(address(desk, server), whole);
  const { page } = opened;
  await rowCount(page, 60);
  await grid(page).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await selectedAt(page, 1);
  server.offline(name(1));
  await rowCount(page, 59);
  await selected(page).filter({ hasText: name(2) }).waitFor();
  expect(await grid(page).getAttribute('aria-activedescendant')).toBe(await selected(page).getAttribute('id'));
  expect(await page.getByText('Choose a visitor').isVisible()).toBe(true);
  await page.keyboard.press('End');
  await selected(page).filter({ hasText: name(59) }).waitFor();
  server.offline(name(59));
  await selected(page).filter({ hasText: name(58) }).waitFor();
  expect(opened.errors).toEqual([]);
});

test('at the end of the list the selection stays in sight, however many come and go before it', async () => {
  await using server = await DeskServer.start(Array.from({ length: 200 }, (_, index) => user(index)));
  await using opened = await browser.open(address(desk, server), whole);
  const { page } = opened;
  await rowCount(page, 200);
  await grid(page).focus();
  await page.keyboard.press('End');
  await selectedAt(page, 199);
  const top = () => selected(page).evaluate((element) => Math.round(element.getBoundingClientRect().top));
  const place = await top();
  for (let newcomer = 1; newcomer <= 15; newcomer++) {
    const startedAt = new Date(NEWEST + newcomer * 1000).toISOString();
    server.online({ ...user(1000 + newcomer), startedAt });
  }
  await selectedAt(page, 214);
  expect(await top()).toBe(place);
  for (let leaving = 0; leaving < 5; leaving++) server.offline(user(leaving).userId);
  await selectedAt(page, 209);
  expect(await top()).toBe(place);
  expect(opened.errors).toEqual([]);
});

/** The selected row, once it is the one at that place. */
async function selectedAt(page: Page, place: number) {
  await page.locator(`[role=row][aria-selected=true][aria-rowindex="${place + 2}"]`).waitFor();
  return selected(page);
}

test('keys alone find, choose, open and go back', async () => {
  await using server = await DeskServer.start(Array.from({ length: 5_000 }, (_, index) => user(index)));
  await using opened = await browser.open(address(desk, server), whole);
  const { page } = opened;
  await rowCount(page, 5_000);
  await page.keyboard.press('/');
  await page.keyboard.type('product 97');
  await page.getByText('visitors like that').waitFor();
  await page.keyboard.press('Escape');
  await rowCount(page, 5_000);
  await page.keyboard.press('Escape');
  expect(await grid(page).evaluate((element) => element === document.activeElement)).toBe(true);

  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  expect(await (await selectedAt(page, 1)).innerText()).toContain(name(1));
  await page.keyboard.press('End');
  expect(await (await selectedAt(page, 4_999)).innerText()).toContain(name(4_999));
  await page.keyboard.press('ArrowUp');
  await selectedAt(page, 4_998);
  expect(await grid(page).getAttribute('aria-activedescendant')).toBe(await selected(page).getAttribute('id'));
  await page.keyboard.press('Home');
  await selectedAt(page, 0);
  await page.keyboard.press('PageDown');
  // A page further, and in sight.
  const { y, height } = (await selected(page).boundingBox()) ?? { y: 0, height: 0 };
  expect(y).toBeGreaterThan(400);
  expect(y + height).toBeLessThanOrEqual(900);

  // Enter opens, and one can write at once; Escape goes back to where one was.
  const who = /user-\d+/.exec(await selected(page).innerText())?.[0] ?? '';
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: who }).waitFor();
  await page.keyboard.type('Hello');
  expect(await page.getByRole('textbox', { name: 'Write a message' }).inputValue()).toBe('Hello');
  await page.keyboard.press('Escape');
  await page.getByText('Choose a visitor').waitFor();
  expect(await grid(page).evaluate((element) => element === document.activeElement)).toBe(true);
  expect(await selected(page).innerText()).toContain(who);
  expect(opened.errors).toEqual([]);
});

test('on a phone there is one thing at a time, with a way back', async () => {
  await using server = await DeskServer.start([user(0), user(1)]);
  await using opened: TestPage = await browser.open(address(desk, server), {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  const { page } = opened;
  await row(page, name(1)).tap();
  await page.getByRole('textbox', { name: 'Write a message' }).waitFor();
  expect(await grid(page).isVisible()).toBe(false);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBe(390);
  await page.getByRole('button', { name: 'Close' }).tap();
  await row(page, name(0)).tap();
  await page.getByRole('heading', { name: name(0) }).waitFor();
  await page.goBack();
  await row(page, name(1)).waitFor();
  expect(await page.getByRole('textbox', { name: 'Write a message' }).count()).toBe(0);
  expect(opened.errors).toEqual([]);
});

test('another conversation that is opened while a step back is under way stays open, until one goes back', async () => {
  await using server = await DeskServer.start([user(0), user(1)]);
  await using opened = await browser.open(address(desk, server), { viewport: { width: 1440, height: 900 } });
  const { page } = opened;
  const field = page.getByRole('textbox', { name: 'Write a message' });
  await row(page, name(1)).click();
  await field.waitFor();
  await row(page, name(0)).evaluate(async (other: HTMLElement) => {
    const stepped = new Promise((resolve) => addEventListener('popstate', resolve, { once: true }));
    document.querySelector<HTMLElement>('.acw-close')?.click();
    // React has closed it then, and no step has been made.
    await null;
    other.click();
    await stepped;
  });
  await page.waitForFunction(() => history.state !== null);
  await page.getByRole('heading', { name: name(0) }).waitFor();
  await page.goBack();
  await field.waitFor({ state: 'detached' });
  expect(opened.errors).toEqual([]);
});

beforeEach(() => {
  expect(desk.missing).toEqual([]);
});
