/** The packed package in Next, with both of its routers and both of its bundlers: rendered on the server, live in Chromium. */
import { expect, test } from 'vitest';
import { ADMIN_KEY, startServer } from '../support/backends.ts';
import { TestBrowser } from '../support/browser.ts';
import { consumer, FIXTURES, type NextBundler, nextSite } from '../support/consumer.ts';
import { staged } from '../support/staged.ts';

/** Next builds for longer than other tests run. */
const TIMEOUT = 400_000;

const stage = staged({ browser: () => TestBrowser.launch(), server: () => startServer() });

const ROUTES = { '/': 'App Router', '/pages-router': 'Pages Router' };

const BUNDLERS: readonly NextBundler[] = ['turbopack', 'webpack'];

test.for(BUNDLERS)('%s builds it for both routers', { timeout: TIMEOUT }, async (bundler) => {
  const directory = await consumer(`${FIXTURES}next-app`, `next-${bundler}`);
  await using site = await nextSite(directory, bundler, {
    NEXT_PUBLIC_GATEWAY_URL: stage.server.url,
    NEXT_PUBLIC_GATEWAY_API_KEY: ADMIN_KEY,
  });
  for (const [path, title] of Object.entries(ROUTES)) {
    const address = new URL(path, site.said).href;
    // What a server says of a list that only a browser loads.
    const rendered = (await (await fetch(address)).text()).replaceAll('<!-- -->', '');
    expect(rendered).toContain(title);
    expect(rendered).toContain('<p>Status: Polling</p><p>Loading</p>');

    await using opened = await stage.browser.open(address);
    await opened.page.getByText('Status: Real-time').waitFor();
    await opened.page.getByText('Loaded').waitFor();
    // The stylesheet is in the App Router's layout.
    const radius = await opened.page.evaluate(() =>
      getComputedStyle(document.documentElement).getPropertyValue('--acw-radius').trim(),
    );
    expect(radius).toBe(path === '/' ? '12px' : '');
    expect(opened.errors).toEqual([]);
  }
});
