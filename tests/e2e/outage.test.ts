/** The server dies and comes back: the dashboard keeps what it knows, says what is wrong, and recovers by itself. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer } from '../support/backends.ts';
import { type Page, TestBrowser } from '../support/browser.ts';
import { consumer, FIXTURES, viteBuild } from '../support/consumer.ts';
import { OfficialClient } from '../support/official-client.ts';
import { serve, type Site } from '../support/site.ts';
import { until } from '../support/until.ts';

let browser: TestBrowser;
let site: Site;

beforeAll(async () => {
  const built = await viteBuild(await consumer(`${FIXTURES}vite-app`, 'outage'));
  [browser, site] = await Promise.all([TestBrowser.launch(), serve(built)]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

const args = ['--offline-grace', '50ms'];

const users = (page: Page): Promise<string[]> => page.getByRole('listitem').allInnerTexts();

/** Waits until the page shows exactly these users. */
function shows(page: Page, ...expected: string[]): Promise<boolean> {
  return until(`exactly ${expected.join(', ')}`, async () => {
    const shown = await users(page);
    if (shown.length !== expected.length) throw new Error(`shows ${shown.join(', ')}`);
    return expected.every((user) => shown.some((text) => text.startsWith(user)));
  });
}

test('a killed server', async () => {
  const first = await startServer({ args });
  using stays = await OfficialClient.visitor(first.url, 'stays');
  using leaves = await OfficialClient.visitor(first.url, 'leaves');
  await using opened = await browser.open(`${site.url}/?server=${first.url}`);
  const { page } = opened;
  await page.getByText('Status: Real-time').waitFor();
  await shows(page, 'anonymous-stays', 'anonymous-leaves');

  leaves.socket.once('disconnect', () => leaves.close());
  await first.program.kill();
  await page.getByText('Status: Polling').waitFor();
  await page.getByText(/Error: \S/).waitFor();
  // Not an empty list, and not a loading one: the last that was known.
  await shows(page, 'anonymous-stays', 'anonymous-leaves');

  await using second = await first.restart();
  await page.getByText('Status: Real-time').waitFor();
  await page.getByText(/Error: \S/).waitFor({ state: 'detached' });
  await shows(page, 'anonymous-stays');
  using _new = await OfficialClient.visitor(second.url, 'new');
  await shows(page, 'anonymous-stays', 'anonymous-new');
  stays.close();
  await shows(page, 'anonymous-new');
  expect(opened.errors).toEqual([]);
});

test('a server that shuts down in order', async () => {
  const first = await startServer({ args });
  await using opened = await browser.open(`${site.url}/?server=${first.url}`);
  const { page } = opened;
  await page.getByText('Status: Real-time').waitFor();
  expect(await first.program.stop()).toBe(0);
  await page.getByText('Status: Polling').waitFor();
  await using second = await first.restart();
  await page.getByText('Status: Real-time').waitFor();
  using _visitor = await OfficialClient.visitor(second.url, 'v1');
  await shows(page, 'anonymous-v1');
  expect(opened.errors).toEqual([]);
});

test('a dashboard that was opened before the server was there', async () => {
  const probe = await startServer({ args });
  await probe.program.kill();
  await using opened = await browser.open(`${site.url}/?server=${probe.url}`);
  const { page } = opened;
  await page.getByText(/Error: \S/).waitFor();
  await using server = await probe.restart();
  await page.getByText('Status: Real-time').waitFor();
  using _visitor = await OfficialClient.visitor(server.url, 'v1');
  await shows(page, 'anonymous-v1');
  expect(opened.errors).toEqual([]);
});
