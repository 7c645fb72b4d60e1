/**
 * Our published package in Chromium against the official Node server that runs the guide's code, and, with the same tests,
 * against our own server.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startReference, startServer } from '../support/backends.ts';
import { TestBrowser } from '../support/browser.ts';
import { OfficialClient, type OnlineUser } from '../support/official-client.ts';
import { OurClient, packageSite } from '../support/our-client.ts';
import type { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

let browser: TestBrowser;
let site: Site;

beforeAll(async () => {
  [browser, site] = await Promise.all([TestBrowser.launch(), packageSite('our-client')]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

/** Why a call was rejected, as the page's code sees it. */
interface Rejection {
  readonly code: unknown;
  readonly isChatError: boolean;
}

for (const [backend, start] of Object.entries({
  'the official server': startReference,
  'our server': startServer,
})) {
  describe(backend, () => {
    test('an admin hears who comes, who goes and who is there', async () => {
      await using server = await start();
      await using admin = await OurClient.admin(browser, site, { server: server.url });
      using visitor = await OfficialClient.visitor(server.url, 'v1', {
        query: { domain: 'shop.example', url: 'https://shop.example/' },
      });
      const expected = {
        userId: 'anonymous-v1',
        sessionId: visitor.id,
        domain: 'shop.example',
        url: 'https://shop.example/',
      };
      expect(await admin.online('anonymous-v1')).toMatchObject(expected);
      const listed = (await admin.list()).find((user) => user.userId === 'anonymous-v1');
      expect(listed).toMatchObject(expected);

      visitor.close();
      await admin.reported<string>('onUserOffline', (userId) => userId === 'anonymous-v1');
      expect((await admin.list()).map((user) => user.userId)).not.toContain('anonymous-v1');
      expect(admin.errors).toEqual([]);
    });

    test("a visitor's message is sent and comes back", async () => {
      await using server = await start();
      await using visitor = await OurClient.visitor(browser, site, { server: server.url });
      await visitor.page.evaluate(() => window.socket.sendMessage('Grüße 👋'));
      expect(
        await visitor.reported<{ text: string }>('onMessage', ({ text }) => text === 'Grüße 👋'),
      ).toMatchObject({ sender: 'user', tenantId: 'demo' });
      expect(visitor.errors).toEqual([]);
    });

    test('a visitor is the same one after a reload, and tells the page', async () => {
      await using server = await start();
      using admin = await OfficialClient.admin(server.url);
      await using visitor = await OurClient.visitor(browser, site, { server: server.url });
      const isVisitor = (user: OnlineUser) => user.userId.startsWith('anonymous-');
      const before = await admin.first('user_online', isVisitor);
      expect(before).toMatchObject({ origin: site.url, url: `${site.url}/` });

      await visitor.page.reload();
      await visitor.configure(server.url);
      await visitor.connect('demo', false);
      const after = await admin.first<OnlineUser>(
        'user_online',
        (user) => isVisitor(user) && user.sessionId !== before.sessionId,
      );
      expect(after.userId).toBe(before.userId);
    });

    test('the client comes back by itself and says so', async () => {
      const first = await start();
      await using admin = await OurClient.admin(browser, site, { server: first.url });
      await first.program.kill();
      await admin.reported('onDisconnect');
      expect(await admin.isConnected()).toBe(false);

      await using second = await first.restart();
      await until('the second connection', async () => (await admin.count('onConnect')) === 2);
      expect(await admin.isConnected()).toBe(true);
      using visitor = await OfficialClient.visitor(second.url, 'later');
      expect(await admin.online('anonymous-later')).toMatchObject({ sessionId: visitor.id });
      expect(admin.errors).toEqual([]);
    });

    test('a client that was told to stop stays away', async () => {
      await using server = await start();
      using witness = await OfficialClient.admin(server.url);
      await using visitor = await OurClient.visitor(browser, site, { server: server.url });
      const { userId } = await witness.first<OnlineUser>('user_online', (user) =>
        user.userId.startsWith('anonymous-'),
      );
      await visitor.page.evaluate(() => window.socket.disconnect());
      await witness.offline(userId);
      expect(await visitor.isConnected()).toBe(false);
    });

    test('the list over HTTP', async () => {
      await using server = await start();
      using visitor = await OfficialClient.visitor(server.url, 'v1');
      await using admin = await OurClient.open(browser, site, {
        server: server.url,
        key: 'demo-admin-key',
      });
      const users = await admin.page.evaluate(() =>
        new window.chat.ChatAPI('demo').getOnlineUsers(),
      );
      expect(users).toContainEqual(
        expect.objectContaining({ userId: 'anonymous-v1', sessionId: visitor.id }),
      );
    });

    test('a failed request rejects with a code', async () => {
      await using server = await start();
      await using admin = await OurClient.open(browser, site, { server: server.url, key: 'wrong' });
      const attempt = () =>
        admin.page.evaluate(() =>
          new window.chat.ChatAPI('demo').getOnlineUsers().then(
            (users): Rejection => {
              throw new Error(`resolved with ${JSON.stringify(users)}`);
            },
            (error: unknown): Rejection => ({
              code: (error as { code?: unknown }).code,
              isChatError: error instanceof window.chat.ChatError,
            }),
          ),
        );
      const refused = await attempt();
      expect(refused.isChatError).toBe(true);
      expect(refused.code).toMatch(/^[A-Z_]+$/);
      await server.program.kill();
      expect(await attempt()).toEqual({ code: 'NETWORK_ERROR', isChatError: true });
    });
  });
}
