/** The shop's visitors and the staff at the desk as persons: what they see and do, by roles and names. */
import { type Page, TestBrowser, type TestPage } from './browser.ts';
import { until } from './until.ts';

/** Somebody of the staff, at the example desk. */
export class Agent implements AsyncDisposable {
  readonly page: Page;
  readonly #opened: TestPage;

  private constructor(opened: TestPage) {
    this.#opened = opened;
    this.page = opened.page;
  }

  /** Opens the desk, once it is live. */
  static async open(browser: TestBrowser, address: string): Promise<Agent> {
    const viewport = { width: 1400, height: 900 };
    const agent = new Agent(await browser.open(address, { viewport }));
    await agent.page.getByText('Real-time').waitFor();
    return agent;
  }

  get errors(): readonly string[] {
    return this.#opened.errors;
  }

  /** The rows of the visitors who are on the site. */
  visitors() {
    const grid = this.page.getByRole('tabpanel', { name: 'Visitors' });
    return grid.getByRole('row').filter({ has: this.page.getByRole('gridcell') });
  }

  /** Resolves when there is one visitor, and this can be read in their row. */
  sees(...texts: readonly (string | RegExp)[]): Promise<true> {
    return until(`a row of the desk with ${texts.join(', ')}`, async () => {
      const rows = await this.visitors().allInnerTexts();
      const [row] = rows;
      if (rows.length === 1 && row && texts.every((text) => fits(row, text))) return true;
      throw new Error(JSON.stringify(rows));
    });
  }

  /** Resolves when nobody is on the site. */
  async seesNobody(): Promise<void> {
    await this.page.getByText('Nobody is here right now').waitFor();
  }

  /** Opens the conversation of the only visitor from the list of visitors. */
  async opensVisitor(): Promise<void> {
    await this.page.getByRole('tab', { name: 'Visitors' }).click();
    await this.visitors().first().click();
    await this.conversation().getByRole('textbox').waitFor();
  }

  /** The entries of the list of conversations. */
  conversations() {
    return this.page.getByRole('tabpanel', { name: /^Conversations/ }).getByRole('listitem');
  }

  async showsConversations(): Promise<void> {
    await this.page.getByRole('tab', { name: /^Conversations/ }).click();
  }

  /** Opens a conversation from the list by what was said last. */
  async opensConversation(lastWords: string): Promise<void> {
    await this.showsConversations();
    await this.conversations().filter({ hasText: lastWords }).getByRole('button').click();
    await this.conversation().getByRole('textbox').waitFor();
  }

  /** The conversation that is open. */
  conversation() {
    return this.page.getByRole('region', { name: 'Conversation', exact: true });
  }

  /** Resolves when it was said in the conversation that is open, once. */
  async reads(text: string): Promise<void> {
    const log = this.conversation().getByRole('log');
    await log.getByText(text, { exact: true }).first().waitFor();
    const times = await log.getByText(text, { exact: true }).count();
    if (times !== 1) throw new Error(`"${text}" stands there ${times} times`);
  }

  async writes(text: string): Promise<void> {
    const input = this.conversation().getByRole('textbox');
    await input.fill(text);
    await input.press('Enter');
    await this.reads(text);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#opened[Symbol.asyncDispose]();
  }
}

/** One tab of a visitor, on the example shop. */
export class Tab {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  bubble() {
    return this.page.getByRole('button', { name: /^Open chat/ });
  }

  input() {
    return this.page.getByRole('dialog').getByRole('textbox');
  }

  async opensChat(): Promise<void> {
    await this.bubble().click();
    await this.input().waitFor();
  }

  async closesChat(): Promise<void> {
    await this.input().press('Escape');
    await this.bubble().waitFor();
  }

  async writes(text: string): Promise<void> {
    await this.input().fill(text);
    await this.input().press('Enter');
    await this.reads(text);
  }

  /** Resolves when it is in the open panel, once. */
  async reads(text: string): Promise<void> {
    const log = this.page.getByRole('log');
    await log.getByText(text, { exact: true }).first().waitFor();
    const times = await log.getByText(text, { exact: true }).count();
    if (times !== 1) throw new Error(`"${text}" stands there ${times} times`);
  }

  /** Resolves when so many messages wait to be read. */
  async unread(count: number): Promise<void> {
    const name = count === 0 ? /^Open chat$/ : new RegExp(`^Open chat, ${count}\\b`);
    await this.page.getByRole('button', { name }).waitFor();
  }

  /** The page is out of sight from now on, or is looked at again. */
  async isHidden(hidden: boolean): Promise<void> {
    await this.page.evaluate((hidden) => {
      const state = hidden ? 'hidden' : 'visible';
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  }
}

const fits = (row: string, text: string | RegExp): boolean =>
  typeof text === 'string' ? row.includes(text) : text.test(row);
