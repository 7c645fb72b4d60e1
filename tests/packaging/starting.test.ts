/**
 * What pages do that start for the first time. They make no error, not even one that is caught at once: for the first one the
 * engine looks for where in the script it was made, which takes longer than most of what a start does.
 */
import { expect, test } from 'vitest';
import { ADMIN_KEY, startServer } from '../support/backends.ts';
import { TestBrowser } from '../support/browser.ts';
import { esbuildBundle } from '../support/consumer.ts';
import { packageSite } from '../support/our-client.ts';
import { staged } from '../support/staged.ts';
import { noteThrown } from '../support/thrown.ts';
import { widgetFiles, widgetSite } from '../support/widget-site.ts';

const stage = staged({ browser: () => TestBrowser.launch(), server: () => startServer() });

test('a live list comes without an error', async () => {
  await using site = await packageSite('starting', esbuildBundle);
  await using opened = await stage.browser.open(site.url);
  const { page } = opened;
  const thrown = await noteThrown(page);
  const state = await page.evaluate(async ([gatewayUrl = '', apiKey = '']) => {
    const { chat } = window;
    chat.configure({ gatewayUrl, apiKey });
    const store = chat.createOnlineUsersStore('demo');
    await new Promise<void>((resolve) => {
      store.subscribe(() => store.getSnapshot().isConnected && resolve());
    });
    return store.getSnapshot().connection;
  }, [stage.server.url, ADMIN_KEY]);
  expect(state).toEqual({ state: 'live', error: null });
  expect(thrown).toEqual([]);
});

test("a visitor's first page comes without an error", async () => {
  await using site = await widgetSite(await widgetFiles('starting-widget'), { server: stage.server.url });
  await using opened = await stage.browser.open('about:blank');
  const { page } = opened;
  const thrown = await noteThrown(page);
  await page.goto(`${site.url}/shop`);
  await page.getByRole('button', { name: 'Open chat' }).click();
  await page.getByText('Online', { exact: true }).waitFor();
  expect(thrown).toEqual([]);
  expect(opened.errors).toEqual([]);
});
