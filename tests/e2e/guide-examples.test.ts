/** The integration guide's usage examples as components of a customer's Vite application, against the real server. */
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from 'vitest';
import { type Backend, startServer } from '../support/backends.ts';
import { TestBrowser } from '../support/browser.ts';
import { consumer, FIXTURES, viteBuild } from '../support/consumer.ts';
import { OfficialClient } from '../support/official-client.ts';
import { serve, type Site } from '../support/site.ts';

let browser: TestBrowser;
let site: Site;
let server: Backend;

beforeAll(async () => {
  const built = await viteBuild(await consumer(`${FIXTURES}vite-app`, 'guide-examples'));
  [browser, site] = await Promise.all([TestBrowser.launch(), serve(built)]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

beforeEach(async () => {
  server = await startServer({ args: ['--offline-grace', '50ms'] });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

for (const example of ['hook', 'socket', 'api', 'hook-polling']) {
  test(`${example}: users come and go`, async () => {
    using early = await OfficialClient.visitor(server.url, 'early', {
      query: { domain: 'shop.example' },
    });
    await using opened = await browser.open(`${site.url}/?example=${example}&server=${server.url}`);
    const { page } = opened;
    const item = (name: string) => page.getByRole('listitem').filter({ hasText: name });
    await item('anonymous-early').waitFor();
    using _late = await OfficialClient.visitor(server.url, 'late');
    await item('anonymous-late').waitFor();
    expect(await page.getByRole('listitem').count()).toBe(2);
    early.close();
    await item('anonymous-early').waitFor({ state: 'detached' });
    expect(await page.getByRole('listitem').allInnerTexts()).toEqual([
      expect.stringContaining('anonymous-late'),
    ]);
    expect(opened.errors).toEqual([]);
  });
}

test('the hook says why it shows nothing', async () => {
  const address = `${site.url}/?example=hook&server=${server.url}&key=wrong`;
  await using opened = await browser.open(address);
  await opened.page.getByText(/Error: \S/).waitFor();
  await opened.page.getByText('Status: Polling').waitFor();
  expect(opened.errors).toEqual([]);
});
