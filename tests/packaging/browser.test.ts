/** The packed package through bundlers and in a script tag, opened in Chromium, connected to a real server. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ADMIN_KEY, startServer } from '../support/backends.ts';
import { TestBrowser } from '../support/browser.ts';
import {
  consumer,
  esbuildBundle,
  FIXTURES,
  pageWith,
  rollupBundle,
  viteBuild,
  viteDev,
  webpackBundle,
} from '../support/consumer.ts';
import { OfficialClient } from '../support/official-client.ts';
import { OurClient, packageSite } from '../support/our-client.ts';
import { serve } from '../support/site.ts';
import { staged } from '../support/staged.ts';
import { widgetFiles, widgetSite } from '../support/widget-site.ts';

const stage = staged({ browser: () => TestBrowser.launch(), server: () => startServer() });

test('a Vite build connects and asks for no further file', async () => {
  const built = await viteBuild(await consumer(`${FIXTURES}vite-app`, 'vite-app'));
  const files = await readdir(built, { recursive: true });
  expect(files.filter((file) => file.endsWith('.wasm'))).toEqual([]);

  await using site = await serve(built);
  const opened = await stage.browser.open(`${site.url}/?server=${stage.server.url}`);
  await using _closing = opened;
  await opened.page.getByText('Status: Real-time').waitFor();
  expect(opened.errors).toEqual([]);
  expect(site.missing).toEqual([]);
});

test("Vite's development server serves it", async () => {
  await using dev = await viteDev(await consumer(`${FIXTURES}vite-app`, 'vite-dev'));
  await using opened = await stage.browser.open(`${dev.said}?server=${stage.server.url}`);
  await opened.page.getByText('Status: Real-time').waitFor();
  expect(opened.errors).toEqual([]);
});

test('a page without a bundler imports it as a module', async () => {
  const directory = await consumer(`${FIXTURES}script-page`, 'module');
  const script = `import * as chat from '/index.js'; window.chat = chat;`;
  await using site = await serve(join(directory, 'node_modules/@amoiq/chat-widget/dist/esm'), {
    '/index.html': pageWith(`<script type="module">${script}</script>`),
  });
  await using admin = await OurClient.admin(stage.browser, site, { server: stage.server.url });
  expect(await admin.isConnected()).toBe(true);
  expect(admin.errors).toEqual([]);
  expect(site.missing).toEqual([]);
});

for (const [bundler, bundle] of Object.entries({
  esbuild: esbuildBundle,
  Rollup: rollupBundle,
  webpack: webpackBundle,
})) {
  test(`a bundle by ${bundler} connects and asks for no further file`, async () => {
    await using site = await packageSite(bundler, bundle);
    await using admin = await OurClient.admin(stage.browser, site, { server: stage.server.url });
    expect(await admin.isConnected()).toBe(true);
    expect(admin.errors).toEqual([]);
    expect(site.missing).toEqual([]);
  });
}

test('a bundler substitutes the environment', async () => {
  const directory = await consumer(`${FIXTURES}script-page`, 'environment');
  const built = await esbuildBundle(directory, 'entry.js', {
    define: {
      // Not to be taken for a place that was not substituted.
      'process.env.NEXT_PUBLIC_GATEWAY_URL': JSON.stringify(`${stage.server.url}/process/..`),
      'process.env.NEXT_PUBLIC_GATEWAY_API_KEY': JSON.stringify(ADMIN_KEY),
    },
  });
  await using site = await serve(built, {
    '/index.html': pageWith('<script src="bundle.js"></script>'),
  });
  const { page, ...opened } = await stage.browser.open(site.url);
  const users = await page.evaluate(() => new window.chat.ChatAPI('demo').getOnlineUsers());
  expect(users).toBeInstanceOf(Array);
  await opened[Symbol.asyncDispose]();
});

test('a script tag shows the bubble and puts the visitor online', async () => {
  const files = await widgetFiles('script-tag');
  await using site = await widgetSite(files, { server: stage.server.url });
  using admin = await OfficialClient.admin(stage.server.url);
  await using opened = await stage.browser.open(`${site.url}/shop`);
  const user = await admin.first<{ userId: string; url?: string }>(
    'user_online',
    ({ url }) => url === `${site.url}/shop`,
  );
  expect(user.userId).toMatch(/^anonymous-/);
  await opened.page.getByRole('button', { name: 'Open chat' }).waitFor();
  expect(opened.errors).toEqual([]);
});

test('the script tag included twice is one widget', async () => {
  const files = await widgetFiles('script-tag-twice');
  await using site = await widgetSite(files, { server: stage.server.url, times: 2 });
  using admin = await OfficialClient.admin(stage.server.url);
  await using opened = await stage.browser.open(`${site.url}/shop`);
  type Row = { userId: string; url?: string };
  const isVisitor = ({ url }: Row) => url === `${site.url}/shop`;
  const { userId } = await admin.first<Row>('user_online', isVisitor);
  await opened.page.getByRole('button', { name: 'Open chat' }).waitFor();
  expect(await opened.page.getByRole('button', { name: 'Open chat' }).count()).toBe(1);
  // A second connection would have been made by the time a later page has made its own.
  await using later = await stage.browser.open(`${site.url}/shop`);
  await admin.first<Row>('user_online', (row) => isVisitor(row) && row.userId !== userId);
  expect(admin.all<Row>('user_online').filter(isVisitor)).toHaveLength(2);
  expect(later.errors).toEqual([]);
  expect(opened.errors).toEqual([]);
});
