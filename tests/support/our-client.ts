/** Our published package in a page, used step by step, with everything it reports written down. */
import type * as Chat from '@amoiq/chat-widget';
import type { Page, TestBrowser, TestPage } from './browser.ts';
import { consumer, esbuildBundle, FIXTURES, pageWith } from './consumer.ts';
import type { OnlineUser } from './official-client.ts';
import { ADMIN_KEY, TENANT } from './backends.ts';
import { serve, type Site } from './site.ts';
import { until } from './until.ts';

export interface Report {
  readonly callback: string;
  readonly argument: unknown;
}

declare global {
  interface Window {
    chat: typeof Chat;
    reports: Report[];
    socket: Chat.ChatWebSocket;
  }
}

/** A site whose page has the package as `window.chat`, put there by a bundler. */
export async function packageSite(
  name: string,
  bundle: (directory: string, entry: string) => Promise<string> = esbuildBundle,
): Promise<Site> {
  const directory = await consumer(`${FIXTURES}script-page`, name);
  const built = await bundle(directory, 'entry.js');
  // A module, because some bundlers write nothing else; a plain script runs as one, too.
  const script = '<script type="module" src="bundle.js"></script>';
  return serve(built, { '/index.html': pageWith(script) });
}

export interface PackagePage {
  /** The server, `http://…`. */
  readonly server: string;
  readonly tenantId?: string;
  readonly key?: string;
}

export class OurClient {
  readonly page: Page;
  readonly #opened: TestPage;

  private constructor(opened: TestPage) {
    this.#opened = opened;
    this.page = opened.page;
  }

  /** Opens the page and configures the package; nothing connects yet. */
  static async open(
    browser: TestBrowser,
    site: Site,
    { server, key }: PackagePage,
  ): Promise<OurClient> {
    const client = new OurClient(await browser.open(site.url));
    await client.configure(server, key);
    return client;
  }

  /** Opens the page and connects as an admin. */
  static async admin(browser: TestBrowser, site: Site, at: PackagePage): Promise<OurClient> {
    const client = await OurClient.open(browser, site, { key: ADMIN_KEY, ...at });
    await client.connect(at.tenantId ?? TENANT, true);
    await client.reported('onConnect');
    return client;
  }

  /** Opens the page and connects as a visitor. */
  static async visitor(browser: TestBrowser, site: Site, at: PackagePage): Promise<OurClient> {
    const client = await OurClient.open(browser, site, at);
    await client.connect(at.tenantId ?? TENANT, false);
    await client.reported('onConnect');
    return client;
  }

  get errors(): readonly string[] {
    return this.#opened.errors;
  }

  async configure(server: string, key?: string): Promise<void> {
    await this.page.evaluate(
      ([gatewayUrl, apiKey]) => {
        const websocketUrl = gatewayUrl.replace(/^http/, 'ws');
        window.chat.configure({ gatewayUrl, websocketUrl, ...(apiKey && { apiKey }) });
      },
      [server, key] as const,
    );
  }

  /** Makes the socket; it connects by itself. */
  async connect(tenantId: string, isAdmin: boolean): Promise<void> {
    await this.page.evaluate(
      ([tenant, admin]) => {
        window.reports = [];
        const note = (callback: string) => (argument?: unknown) => {
          const shown =
            argument instanceof Error
              ? { ...argument, name: argument.name, message: argument.message }
              : argument;
          window.reports.push({ callback, argument: shown });
        };
        window.socket = new window.chat.ChatWebSocket(
          tenant,
          {
            onMessage: note('onMessage'),
            onConnect: note('onConnect'),
            onDisconnect: note('onDisconnect'),
            onError: note('onError'),
            onUserOnline: note('onUserOnline'),
            onUserOffline: note('onUserOffline'),
            onOnlineUsersList: note('onOnlineUsersList'),
          },
          undefined,
          admin,
        );
      },
      [tenantId, isAdmin] as const,
    );
  }

  reports(): Promise<Report[]> {
    return this.page.evaluate(() => window.reports);
  }

  /** The first report of a callback, past or to come, whose argument satisfies the condition. */
  async reported<T>(
    callback: string,
    condition: (argument: T) => boolean = () => true,
  ): Promise<T> {
    const report = await until(`${callback} of our client`, async () => {
      const reports = await this.reports();
      const found = reports.find(
        (one) => one.callback === callback && condition(one.argument as T),
      );
      if (!found) throw new Error(JSON.stringify(reports));
      return found;
    });
    return report.argument as T;
  }

  async count(callback: string): Promise<number> {
    return (await this.reports()).filter((report) => report.callback === callback).length;
  }

  online(userId: string): Promise<OnlineUser> {
    return this.reported<OnlineUser>('onUserOnline', (user) => user.userId === userId);
  }

  /** Asks for the list and resolves with the answer. */
  async list(): Promise<OnlineUser[]> {
    const before = await this.count('onOnlineUsersList');
    await this.page.evaluate(() => window.socket.requestOnlineUsers());
    return until('the list', async () => {
      const answers = (await this.reports()).filter((r) => r.callback === 'onOnlineUsersList');
      return answers.at(before)?.argument as OnlineUser[] | undefined;
    });
  }

  isConnected(): Promise<boolean> {
    return this.page.evaluate(() => window.socket.isConnected());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened[Symbol.asyncDispose]();
  }
}
