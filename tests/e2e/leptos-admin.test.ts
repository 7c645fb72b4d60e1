/** The example dashboard in Leptos: the core's interface for Rust front ends, in a page of such a front end. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer } from '../support/backends.ts';
import { TestBrowser } from '../support/browser.ts';
import { EXAMPLES } from '../support/consumer.ts';
import { address, rows } from '../support/examples.ts';
import { OfficialClient } from '../support/official-client.ts';
import { serve, type Site } from '../support/site.ts';

let browser: TestBrowser;
let dashboard: Site;

beforeAll(async () => {
  const built = join(EXAMPLES, 'leptos-admin/dist');
  await access(join(built, 'leptos-admin.js')).catch((cause: unknown) => {
    throw new Error('the page is not built: run `cargo xtask build --leptos` first', { cause });
  });
  [browser, dashboard] = await Promise.all([TestBrowser.launch(), serve(built)]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await dashboard[Symbol.asyncDispose]();
});

test('visitors come and go', async () => {
  await using server = await startServer({ args: ['--offline-grace', '50ms'] });
  using early = await OfficialClient.visitor(server.url, 'early', {
    query: { domain: 'shop.example' },
  });
  await using staff = await browser.open(address(dashboard, server));
  const { page } = staff;
  const row = (name: string) => rows(page).filter({ hasText: name });
  await page.getByText('Real-time').waitFor();
  await row('anonymous-early').waitFor();
  expect(await row('anonymous-early').innerText()).toContain('shop.example');

  using _late = await OfficialClient.visitor(server.url, 'late');
  await row('anonymous-late').waitFor();
  await page.getByText('2 on your site now').waitFor();

  early.close();
  await row('anonymous-early').waitFor({ state: 'detached' });
  await page.getByText('1 on your site now').waitFor();
  expect(await rows(page).count()).toBe(1);
  expect(staff.errors).toEqual([]);
});

test('the list outlives the server, and says that it may be out of date', async () => {
  const first = await startServer();
  using _visitor = await OfficialClient.visitor(first.url, 'stays');
  await using staff = await browser.open(address(dashboard, first));
  const { page } = staff;
  await rows(page).first().waitFor();

  await first.program.kill();
  await page.getByText('Polling').waitFor();
  await page.getByRole('alert').getByText('NETWORK_ERROR').waitFor();
  expect(await rows(page).count()).toBe(1);

  await using _second = await first.restart();
  await page.getByText('Real-time').waitFor();
  await page.getByRole('alert').waitFor({ state: 'detached' });
  await rows(page).filter({ hasText: 'anonymous-stays' }).waitFor();
  expect(staff.errors).toEqual([]);
});
