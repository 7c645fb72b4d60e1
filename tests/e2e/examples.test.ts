/** The example dashboard and the example shop page, built with the packed package: what a newcomer sees first. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Backend, startServer } from '../support/backends.ts';
import { TestBrowser } from '../support/browser.ts';
import { consumer, EXAMPLES, viteBuild } from '../support/consumer.ts';
import { run } from '../support/run.ts';
import { serve, type Site } from '../support/site.ts';

let browser: TestBrowser;
let dashboard: Site;
let shop: Site;

beforeAll(async () => {
  const shopDirectory = async (): Promise<string> => {
    const directory = await consumer(join(EXAMPLES, 'script-tag'), 'example-shop');
    await run(process.execPath, ['build.mjs'], directory);
    return join(directory, 'dist');
  };
  [browser, dashboard, shop] = await Promise.all([
    TestBrowser.launch(),
    consumer(join(EXAMPLES, 'admin-react'), 'example-dashboard')
      .then(viteBuild)
      .then((built) => serve(built)),
    shopDirectory().then((built) => serve(built)),
  ]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await dashboard[Symbol.asyncDispose]();
  await shop[Symbol.asyncDispose]();
});

const address = (site: Site, server: Backend): string => `${site.url}/?server=${server.url}`;

for (const colorScheme of ['light', 'dark'] as const) {
  test(`a visitor of the shop appears in the dashboard and leaves it, ${colorScheme}`, async () => {
    await using server = await startServer({ args: ['--offline-grace', '50ms'] });
    const options = { colorScheme, viewport: { width: 1100, height: 760 } };
    await using staff = await browser.open(address(dashboard, server), options);
    await staff.page.getByText('Real-time').waitFor();
    const rows = staff.page.locator('tbody tr');
    expect(await rows.count()).toBe(0);
    const picture = (name: string): { path: string } => ({
      path: join(inject('artifacts'), `${name}-${colorScheme}.png`),
    });
    await staff.page.screenshot(picture('dashboard-empty'));

    await using visitor = await browser.open(address(shop, server), options);
    await rows.first().waitFor();
    expect(await rows.count()).toBe(1);
    expect(await rows.first().innerText()).toContain('127.0.0.1');
    await visitor.page.getByRole('button', { name: 'Open chat' }).waitFor();
    await staff.page.screenshot(picture('dashboard'));
    await visitor.page.screenshot(picture('shop'));

    await visitor[Symbol.asyncDispose]();
    await rows.first().waitFor({ state: 'detached' });
    expect(staff.errors).toEqual([]);
    expect(visitor.errors).toEqual([]);
  });
}

test('the dashboard keeps its list through an outage and says so', async () => {
  const first = await startServer();
  await using staff = await browser.open(address(dashboard, first));
  await using visitor = await browser.open(address(shop, first));
  const rows = staff.page.locator('tbody tr');
  await rows.first().waitFor();

  await first.program.kill();
  await staff.page.getByText('Polling', { exact: true }).waitFor();
  await staff.page.getByRole('alert').waitFor();
  expect(await rows.count()).toBe(1);
  await staff.page.screenshot({ path: join(inject('artifacts'), 'dashboard-outage.png') });

  await using _second = await first.restart();
  await staff.page.getByText('Real-time').waitFor();
  await staff.page.getByRole('alert').waitFor({ state: 'detached' });
  await rows.first().waitFor();
  expect(staff.errors).toEqual([]);
  expect(visitor.errors).toEqual([]);
});
