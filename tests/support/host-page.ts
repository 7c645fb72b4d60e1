/**
 * Pages of other people that the widget is put into, and what has to be true of it and of them in each: a visitor can be seen, write
 * and be answered, and the page has no error and no shift that it would not have by itself.
 */
import { expect } from 'vitest';
import type { Page, TestBrowser, TestPage } from './browser.ts';
import { type ChatMessage, OfficialClient, type OnlineUser } from './official-client.ts';
import { serve, type Site } from './site.ts';
import { until } from './until.ts';
import type { WidgetStage } from './widget-stage.ts';

export interface HostPage {
  /** The document's type; empty for a page in quirks mode. */
  readonly doctype?: string;
  /** What stands in the head before the widget's two lines. */
  readonly before?: string;
  /** What stands in the head behind them. */
  readonly after?: string;
  readonly body?: string;
  /** What the page says to the widget besides its tenant and server. */
  readonly config?: object;
  /** How often the script is included. */
  readonly times?: number;
  /** Its content security policy; scripts of the page have the nonce `page`. */
  readonly policy?: string;
}

/** A script of the page's own. */
export const script = (text: string): string => `<script nonce="page">${text}</script>`;

/** Serves the page at `/shop`, from the directory with the widget's files. */
export function hostSite(files: string, server: string, page: HostPage = {}): Promise<Site> {
  const { doctype = '<!doctype html>', before = '', after = '', body = '<h1>Bags</h1>' } = page;
  const config = JSON.stringify({ tenantId: 'demo', baseUrl: server, ...page.config });
  const tag = '<script nonce="page" src="/widget.v1.js" async></script>'.repeat(page.times ?? 1);
  const head = `<meta charset="utf-8"><title>Shop</title>${before}${script(`window.ChatWidgetConfig = ${config}`)}${tag}${after}`;
  const text = `${doctype}<html lang="en"><head>${head}</head><body>${body}</body></html>`;
  const { policy } = page;
  return serve(files, { '/shop': text }, policy === undefined ? {} : { 'content-security-policy': policy });
}

/** What the page's owner would find in the console, and what its visitors would see move. */
export interface Trouble {
  /** Errors and rejections that nobody caught, as `window` is told of them. */
  readonly uncaught: readonly string[];
  /** What its policy has refused. */
  readonly refused: readonly string[];
  readonly shifts: number;
}

/** Opens a page that takes down its trouble before anything else runs in it. */
export async function openHost(
  browser: TestBrowser,
  url: string,
  options: Parameters<TestBrowser['open']>[1] = {},
): Promise<TestPage> {
  const opened = await browser.open('about:blank', options);
  await opened.page.addInitScript(() => {
    const uncaught: string[] = [];
    const refused: string[] = [];
    const trouble = { uncaught, refused, shifts: 0 };
    Object.defineProperty(window, 'trouble', { value: trouble });
    // Kept from whatever the page does to lists.
    const note = (list: string[], text: string) => void (list[list.length] = text);
    addEventListener('error', ({ message }) => note(uncaught, message));
    addEventListener('unhandledrejection', ({ reason }) => note(uncaught, String(reason)));
    document.addEventListener('securitypolicyviolation', (violation) =>
      note(refused, `${violation.effectiveDirective} ${violation.blockedURI}`),
    );
    new PerformanceObserver((list) => {
      // What moves because the visitor has just done something is no surprise to them.
      const shifts = list.getEntries() as (PerformanceEntry & { hadRecentInput: boolean })[];
      trouble.shifts += shifts.filter(({ hadRecentInput }) => !hadRecentInput).length;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await opened.page.goto(url);
  return opened;
}

export async function troubleOf(page: Page): Promise<Trouble> {
  // As text, since a page may have changed how lists are written.
  const { uncaught, refused, shifts } = await page.evaluate(() => {
    const { trouble } = window as unknown as { trouble: Trouble };
    const lines = (list: readonly string[]) => list.join('\n');
    return { uncaught: lines(trouble.uncaught), refused: lines(trouble.refused), shifts: trouble.shifts };
  });
  const list = (lines: string) => lines.split('\n').filter((line) => line !== '');
  // The same may be tried, and be refused, more than once.
  return { uncaught: list(uncaught), refused: [...new Set(list(refused))], shifts };
}

/** Where the widget is looked for: a page, or a frame in one. */
export type Place = Pick<Page, 'getByRole' | 'getByText'>;

export const bubble = (place: Place) => place.getByRole('button', { name: /^Open chat/ });

/** The visitor of the page with this address, once it is listed. */
export const visitorOf = (agent: OfficialClient, url: string): Promise<OnlineUser> =>
  agent.first<OnlineUser>('user_online', (user) => user.url === url);

/** Has the visitor write and the agent answer, and sees both on both sides. */
export async function converse(
  place: Place,
  agent: OfficialClient,
  { sessionId = '' }: OnlineUser,
): Promise<void> {
  if ((await bubble(place).count()) > 0) await bubble(place).click();
  const question = `Is the blue one in stock? ${sessionId}`;
  await agent.socket.emitWithAck('join_conversation', { sessionId });
  await place.getByRole('textbox').fill(question);
  await place.getByRole('textbox').press('Enter');
  const { message } = await agent.first<{ message: ChatMessage }>(
    'meta_message_created',
    ({ message }) => message.text === question,
  );
  expect(message).toMatchObject({ sender: 'user', sessionId });
  const answer = `Yes, it is. ${sessionId}`;
  await agent.send(answer, { sessionId });
  await place.getByText(answer).waitFor();
  expect(await place.getByText(question).count()).toBe(1);
}

/** The whole of it on a page that is expected to have no trouble at all. */
export async function worksUntroubled(
  { browser, files, server }: WidgetStage,
  page: HostPage,
  refused: readonly unknown[] = [],
): Promise<void> {
  await using site = await hostSite(files, server.url, page);
  using agent = await OfficialClient.admin(server.url);
  await using opened = await openHost(browser, `${site.url}/shop`);
  await converse(opened.page, agent, await visitorOf(agent, `${site.url}/shop`));
  expect(opened.errors).toEqual([]);
  expect(await troubleOf(opened.page)).toEqual({ uncaught: [], refused, shifts: 0 });
}

/** How often the agent has heard of visitors of the page. */
export const comings = (agent: OfficialClient, url: string): OnlineUser[] =>
  agent.all<OnlineUser>('user_online').filter((user) => user.url === url);

/** Resolves when the bubble is where it belongs: in that corner of the window, and as large as a finger. */
export async function inCorner(page: Page, side: 'left' | 'right'): Promise<void> {
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
  await until(`the bubble at the bottom ${side}`, async () => {
    const box = await bubble(page).boundingBox();
    if (!box) throw new Error('it is not to be seen');
    const gap = side === 'left' ? box.x : width - box.x - box.width;
    const below = height - box.y - box.height;
    const fits = gap >= 0 && gap <= 60 && below >= 0 && below <= 60;
    if (!fits || box.width < 40 || box.height < 40 || box.width > 120 || box.height > 120) {
      throw new Error(JSON.stringify(box));
    }
    return true;
  });
}
