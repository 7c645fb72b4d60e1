/** Headless Chromium, and pages whose errors fail the run. */
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core';
import type { Measurements } from '../pages/measure.ts';

declare global {
  var bench: Measurements;
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--js-flags=--expose-gc',
];

export class Chromium {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async launch(): Promise<Chromium> {
    const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
    return new Chromium(await chromium.launch({ executablePath, args: FLAGS }));
  }

  get version(): string {
    return this.#browser.version();
  }

  /** A visitor of their own: no cache, no storage, and a process that others do not share. */
  async visitor(): Promise<Visitor> {
    const context = await this.#browser.newContext();
    return new Visitor(context, await context.newPage());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#browser.close();
  }
}

export class Visitor {
  readonly #context: BrowserContext;
  readonly page: Page;
  readonly #errors: string[] = [];

  constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.on('pageerror', (error) => this.#errors.push(String(error.stack ?? error)));
  }

  async open(url: string): Promise<void> {
    await this.page.goto(url);
    this.check();
  }

  /** Throws what the page's scripts have thrown. */
  check(): void {
    const [first] = this.#errors;
    if (first) throw new Error(`the page failed: ${first}`);
  }

  devtools(): Promise<CDPSession> {
    return this.#context.newCDPSession(this.page);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#context.close();
  }
}
