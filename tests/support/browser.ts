/** Headless Chromium, and pages whose errors are not overlooked. */
import { type Browser, chromium, type Page } from 'playwright-core';

export type { Page } from 'playwright-core';

export interface TestPage {
  readonly page: Page;
  /** Uncaught errors of the page's scripts so far. A test that expects none says so. */
  readonly errors: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

export class TestBrowser {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** With `backForwardCache` pages that are left are kept, as browsers do for people and not for programs. */
  static async launch({ backForwardCache = false } = {}): Promise<TestBrowser> {
    const browser = await chromium.launch({
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
      ignoreDefaultArgs: backForwardCache ? ['--disable-back-forward-cache'] : [],
    });
    return new TestBrowser(browser);
  }

  /** A page of a visitor of their own: nothing is shared with other pages, no storage and no cache. */
  async open(
    url: string,
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<TestPage> {
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error.stack ?? error)));
    await page.goto(url);
    return { page, errors, [Symbol.asyncDispose]: () => context.close() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}
