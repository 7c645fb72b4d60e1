/** The desk for those who do not see it, use no pointer, or see little contrast: what axe finds in each of its states. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { barriers } from '../support/axe.ts';
import { type Page, TestBrowser } from '../support/browser.ts';
import { DeskServer, type DeskUser } from '../support/desk-server.ts';
import { address, exampleDashboard, rows } from '../support/examples.ts';
import type { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

let browser: TestBrowser;
let desk: Site;

beforeAll(async () => {
  [browser, desk] = await Promise.all([TestBrowser.launch(), exampleDashboard('desk-access')]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await desk[Symbol.asyncDispose]();
});

const NOW = Date.parse('2024-01-15T10:30:00.000Z');
const at = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString();
const user = (index: number): DeskUser => ({
  ...{ userId: `anonymous-${index}`, sessionId: `s${index}`, connectedAt: at(index) },
  ...{ domain: 'shop.example', url: `https://shop.example/${index % 7}`, title: `Page ${index % 7}` },
  ...(index % 4 !== 0 && { startedAt: at(index), visits: index % 3 }),
  ...(index % 5 === 0 && { idleSince: at(0), tabs: 3 }),
});
const SAMPLES = Array.from({ length: 61 }, (_, minute) => {
  const online = minute > 20 && minute < 25 ? null : minute;
  return { at: at(60 - minute), online, peak: online };
});

const STATES: Readonly<Record<string, (page: Page, server: DeskServer) => Promise<unknown>>> = {
  'many visitors, by page': async (page) => {
    await page.getByRole('button', { name: 'By page' }).click();
    await page.getByRole('region', { name: 'By page' }).getByRole('button').first().click();
    await page.getByRole('button', { name: 'Show everybody' }).waitFor();
  },
  'an open conversation': async (page, server) => {
    server.say('s1', 'user', 'Is this in stock?');
    server.say('s1', 'agent', 'It is');
    server.say('s1', 'bot', 'Anything else?');
    await rows(page).filter({ hasText: 'Visitor 1' }).first().click();
    await page.getByRole('log').getByText('Anything else?').waitFor();
    server.offline('anonymous-1');
    await page.getByText('has left the site').waitFor();
  },
  'a visitor in another conversation': async (page, server) => {
    await rows(page).filter({ hasText: 'Visitor 1' }).first().click();
    await page.getByRole('textbox', { name: 'Write a message' }).waitFor();
    server.online({ ...user(1), sessionId: 'another' });
    await page.getByRole('button', { name: 'Go there' }).waitFor();
  },
  'the conversations': async (page, server) => {
    server.say('s1', 'user', 'Is this in stock?');
    server.say('s2', 'agent', 'Can I help?');
    await page.getByRole('tab', { name: 'Conversations' }).click();
    await page.getByText('Waiting', { exact: true }).waitFor();
  },
  'nobody that is searched': async (page) => {
    await page.getByLabel('Search visitors').fill('zzz');
    await page.getByText('Nobody like that is here').waitFor();
  },
  'no server': async (page) => {
    await page.goto(address(desk, { url: 'http://127.0.0.1:1' }));
    await page.getByRole('alert').getByText('NETWORK_ERROR').waitFor();
    await page.getByText('It appears as soon as the server answers.').waitFor();
  },
  'a refusal, which stands alone': async (page, server) => {
    server.refusal = 'INVALID_API_KEY';
    await page.reload();
    await page.getByRole('alert').getByText('Sign in again').first().waitFor();
    await page.locator('.none').waitFor({ state: 'detached' });
  },
};

/** Lists scroll, and the page does not. */
const beyond = (page: Page): Promise<number[]> =>
  page.evaluate(() => {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement;
    return [scrollWidth - clientWidth, scrollHeight - clientHeight];
  });

const SCREENS = {
  'light, wide': { colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  'dark, wide': { colorScheme: 'dark', viewport: { width: 1440, height: 900 } },
  'light, a tablet': { colorScheme: 'light', viewport: { width: 820, height: 1180 }, hasTouch: true },
  'dark, a phone': { colorScheme: 'dark', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
} as const;

for (const [name, screen] of Object.entries(SCREENS)) {
  test.each(Object.keys(STATES))(`nothing stands in the way: %s, ${name}`, async (state) => {
    await using server = await DeskServer.start(Array.from({ length: 80 }, (_, index) => user(index)));
    server.samples = SAMPLES;
    await using opened = await browser.open(address(desk, server), {
      ...screen,
      reducedMotion: 'reduce',
    });
    const { page } = opened;
    await rows(page).first().waitFor();
    await page.getByRole('slider').waitFor();
    await STATES[state]?.(page, server);
    expect(await barriers(page)).toEqual([]);
    expect(await beyond(page), 'pixels by which the page is larger than what is seen of it').toEqual([0, 0]);
    expect(opened.errors).toEqual([]);
  });
}

test('the chart is read with the keyboard, a minute at a time', async () => {
  await using server = await DeskServer.start([user(0)]);
  server.samples = SAMPLES;
  await using opened = await browser.open(address(desk, server));
  const chart = opened.page.getByRole('slider');
  await chart.focus();
  const says = (text: string) =>
    until(text, async () => (await chart.getAttribute('aria-valuetext'))?.includes(text));
  // The last minute is as it is now.
  await says('1 online, peak 60');
  await chart.press('ArrowLeft');
  await says('59 online, peak 59');
  await chart.press('Home');
  await says('0 online, peak 0');
  for (let minute = 0; minute < 21; minute++) await chart.press('ArrowRight');
  await says('not counted');
});
