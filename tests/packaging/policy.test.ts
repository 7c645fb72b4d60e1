/** Pages whose content security policy refuses WebAssembly: the fallback is loaded there, and only there. */
import type * as Chat from '@amoiq/chat-widget';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startServer } from '../support/backends.ts';
import { TestBrowser } from '../support/browser.ts';
import {
  consumer,
  esbuildBundle,
  FIXTURES,
  pageWith,
  viteModule,
  webpackBundle,
} from '../support/consumer.ts';
import { OfficialClient } from '../support/official-client.ts';
import { OurClient } from '../support/our-client.ts';
import { serve } from '../support/site.ts';
import { staged } from '../support/staged.ts';
import { NO_WASM, widgetFiles, widgetSite } from '../support/widget-site.ts';

/** A policy that allows nothing but these scripts and the server. */
const policy = (scripts: string): string => {
  const { host } = new URL(stage.server.url);
  return `default-src 'none'; connect-src http://${host} ws://${host}; script-src ${scripts}`;
};

const REFUSES = "'self' 'nonce-page'";
const ALLOWS = `${REFUSES} 'wasm-unsafe-eval'`;
const REFUSES_BY_NONCE = "'nonce-page'";

const stage = staged({ browser: () => TestBrowser.launch(), server: () => startServer() });

const splitting = (directory: string, entry: string): Promise<string> =>
  esbuildBundle(directory, entry, {
    format: 'esm',
    splitting: true,
    outfile: undefined,
    outdir: join(directory, 'dist'),
    entryNames: 'bundle',
  });

for (const [bundler, bundle] of Object.entries({
  esbuild: splitting,
  webpack: webpackBundle,
  Vite: viteModule,
})) {
  test(`a bundle by ${bundler} loads the fallback where WebAssembly is refused`, async () => {
    const directory = await consumer(`${FIXTURES}policy-page`, `policy-${bundler}`);
    const built = await bundle(directory, 'entry.js');
    const page = { '/index.html': pageWith('<script type="module" src="bundle.js"></script>') };
    const under = (scripts: string) =>
      serve(built, page, { 'content-security-policy': policy(scripts) });

    await using allowing = await under(ALLOWS);
    await using usual = await OurClient.admin(stage.browser, allowing, { server: stage.server.url });
    expect(usual.errors).toEqual([]);

    await using refusing = await under(REFUSES);
    await using admin = await OurClient.admin(stage.browser, refusing, { server: stage.server.url });
    const usually = new Set(allowing.requested);
    const more = refusing.requested.filter((path) => !usually.has(path));
    expect(more).toEqual([expect.stringMatching(/\.js$/)]);
    expect(refusing.missing).toEqual([]);

    using visitor = await OfficialClient.visitor(stage.server.url, `of-${bundler}`);
    const userId = `anonymous-of-${bundler}`;
    expect(await admin.online(userId)).toMatchObject({ sessionId: visitor.id });
    expect(await admin.list()).toContainEqual(expect.objectContaining({ userId }));
    // The store, whose index of users is the core's.
    await admin.page.evaluate(() => {
      const store = window.chat.createOnlineUsersStore('demo');
      store.subscribe(() => {});
      Object.assign(window, { store });
    });
    await admin.page.waitForFunction((user) => {
      const { store } = window as unknown as { store: Chat.OnlineUsersStore };
      const { onlineUsers, isConnected } = store.getSnapshot();
      return isConnected && onlineUsers.some((row) => row.userId === user);
    }, userId);

    // A view, which is a further file in both forms.
    await admin.page.evaluate((search) => {
      const { store } = window as unknown as { store: Chat.OnlineUsersStore };
      const view = store.view({ search });
      view.subscribe(() => {});
      Object.assign(window, { view });
    }, userId.toUpperCase());
    await admin.page.waitForFunction((user) => {
      const { view } = window as unknown as { view: Chat.OnlineUsersView };
      return view.getSnapshot().users.some((row) => row.userId === user);
    }, userId);
    visitor.close();
    await admin.reported<string>('onUserOffline', (gone) => gone === userId);
    expect(admin.errors).toEqual([]);
  });
}

test('the script tag loads its fallback from beside itself, by the nonce it was given', async () => {
  const files = await widgetFiles('policy-tag');
  using admin = await OfficialClient.admin(stage.server.url);
  await using site = await widgetSite(files, {
    server: stage.server.url,
    policy: policy(REFUSES_BY_NONCE),
  });
  await using opened = await stage.browser.open(`${site.url}/shop`);
  const { page } = opened;
  const { sessionId } = await admin.first<{ sessionId: string; url?: string }>(
    'user_online',
    ({ url }) => url === `${site.url}/shop`,
  );
  expect(site.requested).toContain(`/${NO_WASM}`);

  await page.getByRole('button', { name: 'Open chat' }).click();
  await page.getByText('Online', { exact: true }).waitFor();
  await page.getByRole('textbox', { name: 'Your message' }).fill('Is the blue one in stock?');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('.entry.own.delivered').waitFor();
  await admin.send('Yes, it is.', { sessionId });
  await page.getByText('Yes, it is.').waitFor();
  expect(opened.errors).toEqual([]);
});

test('the script tag loads nothing more where WebAssembly is allowed', async () => {
  const files = await widgetFiles('policy-tag-allowed');
  using admin = await OfficialClient.admin(stage.server.url);
  await using site = await widgetSite(files, { server: stage.server.url, policy: policy(ALLOWS) });
  await using opened = await stage.browser.open(`${site.url}/shop`);
  await admin.first<{ url?: string }>('user_online', ({ url }) => url === `${site.url}/shop`);
  expect(site.requested).not.toContain(`/${NO_WASM}`);
  expect(opened.errors).toEqual([]);
});

test('a script tag whose fallback is missing breaks nothing and says why', async () => {
  const files = await widgetFiles('policy-tag-missing');
  await rm(join(files, NO_WASM));
  await using site = await widgetSite(files, { server: stage.server.url, policy: policy(REFUSES) });
  await using opened = await stage.browser.open('about:blank');
  const { page } = opened;
  const warning = page.waitForEvent('console', (message) => /chat widget/.test(message.text()));
  await page.goto(`${site.url}/shop`);
  expect((await warning).text()).toMatch(/\[WASM_UNAVAILABLE\].*widget\.v1\.no-wasm\.js/);
  await page.getByRole('button', { name: 'Open chat' }).click();
  await page.getByText('Chat is unavailable right now').waitFor();
  expect(opened.errors).toEqual([]);
});
