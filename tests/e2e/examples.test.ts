/** The example dashboard and the example shop page, built with the packed package: what a newcomer sees first. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startServer } from '../support/backends.ts';
import { TestBrowser } from '../support/browser.ts';
import { address, exampleDashboard, exampleShop, rows } from '../support/examples.ts';
import type { Site } from '../support/site.ts';

let browser: TestBrowser;
let dashboard: Site;
let shop: Site;

beforeAll(async () => {
  [browser, dashboard, shop] = await Promise.all([
    TestBrowser.launch(),
    exampleDashboard('example-dashboard'),
    exampleShop('example-shop'),
  ]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await dashboard[Symbol.asyncDispose]();
  await shop[Symbol.asyncDispose]();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`a visitor of the shop appears in the dashboard and leaves it, ${colorScheme}`, async () => {
    await using server = await startServer({ args: ['--offline-grace', '50ms'] });
    const options = { colorScheme, viewport: { width: 1100, height: 760 } };
    await using staff = await browser.open(address(dashboard, server), options);
    await staff.page.getByText('Real-time').waitFor();
    const users = rows(staff.page);
    expect(await users.count()).toBe(0);
    const picture = (name: string): { path: string } => ({
      path: join(inject('artifacts'), `${name}-${colorScheme}.png`),
    });
    await staff.page.screenshot(picture('dashboard-empty'));

    await using visitor = await browser.open(address(shop, server), options);
    await users.first().waitFor();
    expect(await users.count()).toBe(1);
    expect(await users.first().innerText()).toContain('127.0.0.1');
    await visitor.page.getByRole('button', { name: 'Open chat' }).waitFor();
    await staff.page.screenshot(picture('dashboard'));
    await visitor.page.screenshot(picture('shop'));

    await visitor[Symbol.asyncDispose]();
    await users.first().waitFor({ state: 'detached' });
    expect(staff.errors).toEqual([]);
    expect(visitor.errors).toEqual([]);
  });
}

test('the dashboard keeps its list through an outage and says so', async () => {
  const first = await startServer();
  await using staff = await browser.open(address(dashboard, first));
  await using visitor = await browser.open(address(shop, first));
  const users = rows(staff.page);
  await users.first().waitFor();

  await first.program.kill();
  await staff.page.getByText('Real-time', { exact: true }).waitFor({ state: 'detached' });
  await staff.page.getByRole('alert').waitFor();
  expect(await users.count()).toBe(1);
  await staff.page.screenshot({ path: join(inject('artifacts'), 'dashboard-outage.png') });

  await using _second = await first.restart();
  await staff.page.getByText('Real-time').waitFor();
  await staff.page.getByRole('alert').waitFor({ state: 'detached' });
  await users.first().waitFor();
  expect(staff.errors).toEqual([]);
  expect(visitor.errors).toEqual([]);
});
