/**
 * A list of 100,000 users in a browser, through the packed package: scrolled, searched, turned round, and changed by the
 * server meanwhile. The server is the official one and says whatever the test wants it to.
 */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Server } from 'socket.io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Page, TestBrowser } from '../support/browser.ts';
import { consumer, esbuildBundle, FIXTURES, pageWith } from '../support/consumer.ts';
import type { OnlineUser } from '../support/official-client.ts';
import { serve, type Site } from '../support/site.ts';

const MANY = 100_000;

const name = (index: number) => `user-${String(index).padStart(6, '0')}`;
const user = (index: number): OnlineUser => ({
  userId: name(index),
  sessionId: `s${index}`,
  connectedAt: '2024-01-15T10:30:00.000Z',
  domain: 'shop.example',
  origin: 'https://shop.example',
  url: `https://shop.example/product/${index % 977}`,
});

let browser: TestBrowser;
let site: Site;
let io: Server;
let address: string;

beforeAll(async () => {
  const list = JSON.stringify({ users: Array.from({ length: MANY }, (_, index) => user(index)) });
  const http = createServer((_, response) => {
    const headers = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' };
    response.writeHead(200, { ...headers, 'content-type': 'application/json' }).end(list);
  });
  io = new Server(http, { cors: { origin: '*' } });
  io.on('connection', (socket) => {
    socket.on('get_online_users', () => socket.emit('online_users_list', JSON.parse(list)));
  });
  http.listen(0, '127.0.0.1');
  const project = consumer(`${FIXTURES}view-page`, 'view-page');
  const [directory] = await Promise.all([project, once(http, 'listening')]);
  address = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const built = await esbuildBundle(directory, 'entry.jsx', {
    outfile: undefined,
    outdir: join(directory, 'dist'),
    format: 'esm',
    splitting: true,
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  const page = pageWith('<script type="module" src="entry.js"></script>');
  [browser, site] = await Promise.all([TestBrowser.launch(), serve(built, { '/index.html': page })]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
  await io.close();
});

const status = (page: Page, text: string) => page.getByText(text, { exact: true }).waitFor();
const row = (page: Page, text: string) => page.getByRole('article').filter({ hasText: text });

/** Scrolls in steps, one a frame, and looks at each frame whether every row has the place that is its own. */
function scrollThrough(page: Page, steps: number) {
  return page.getByRole('feed').evaluate(async (feed, steps) => {
    const misplaced: string[] = [];
    let seen = 0;
    for (let step = 0; step < steps; step++) {
      feed.scrollTop = (step / steps) * feed.scrollHeight;
      await new Promise(requestAnimationFrame);
      for (const article of feed.querySelectorAll('article')) {
        const [userId = ''] = article.innerText.split(' ');
        seen++;
        if (Number(userId.slice(5)) !== Number(article.ariaPosInSet) - 1) misplaced.push(userId);
      }
    }
    return { misplaced, seen };
  }, steps);
}

test('a list of 100,000 is scrolled, searched and turned round while users come and go', async () => {
  await using opened = await browser.open(`${site.url}/?server=${address}`);
  const { page } = opened;
  const scripts: string[] = [];
  page.on('request', (request) => scripts.push(new URL(request.url()).pathname));
  await page.getByRole('button', { name: 'Open' }).click();
  await status(page, `ready: ${MANY} of ${MANY}`);
  expect(scripts.filter((path) => path.startsWith('/view'))).toHaveLength(1);
  expect(await page.getByRole('article').count()).toBe(25);

  const { misplaced, seen } = await scrollThrough(page, 60);
  expect(misplaced).toEqual([]);
  expect(seen).toBeGreaterThan(60);
  await page.getByRole('feed').evaluate((feed) => feed.scrollTo(0, 50_000 * 20));
  await row(page, name(50_001)).waitFor();

  io.emit('user_offline', { userId: name(50_001) });
  await row(page, name(50_001)).waitFor({ state: 'detached' });
  await status(page, `ready: ${MANY - 1} of ${MANY - 1}`);
  io.emit('user_online', { ...user(50_002), url: 'https://shop.example/checkout' });
  await row(page, '/checkout').waitFor();
  expect(await row(page, '/checkout').innerText()).toContain(name(50_002));

  await page.getByLabel('Search').fill('SHOP.example 09 product/3');
  const found = Array.from({ length: MANY }, (_, index) => user(index)).filter(
    ({ userId, url }) => `${userId} ${url}`.includes('09') && url?.includes('product/3'),
  );
  await status(page, `ready: ${found.length} of ${MANY - 1}`);
  await page.getByRole('feed').evaluate((feed) => feed.scrollTo(0, 0));
  await row(page, found[0]?.userId ?? '').waitFor();
  const newcomer = { ...user(0), userId: 'zoe-09', url: 'https://shop.example/product/3' };
  io.emit('user_online', newcomer);
  await status(page, `ready: ${found.length + 1} of ${MANY}`);
  expect(await row(page, 'zoe').count()).toBe(0);
  await page.getByRole('button', { name: 'Turn' }).click();
  await row(page, 'zoe').waitFor();
  expect(await page.getByRole('article').first().innerText()).toContain('zoe-09');
  expect(opened.errors).toEqual([]);
});
