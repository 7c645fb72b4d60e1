/**
 * The whole story, as a shop and its visitors live it: the example shop with the script tag, the example desk, and the server between
 * them, once as one process and once as many behind a gateway.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ADMIN_KEY, startServer, TENANT } from '../support/backends.ts';
import { TestBrowser, type TestPage } from '../support/browser.ts';
import { address, exampleDashboard, exampleShop } from '../support/examples.ts';
import type { Site } from '../support/site.ts';
import { Agent, Tab } from '../support/story.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { Topology } from '../support/topology.ts';
import { until } from '../support/until.ts';

let browser: TestBrowser;
let desk: Site;
let shop: Site;

beforeAll(async () => {
  [browser, desk, shop] = await Promise.all([
    TestBrowser.launch(),
    exampleDashboard('story-desk'),
    exampleShop('story-shop'),
  ]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await desk[Symbol.asyncDispose]();
  await shop[Symbol.asyncDispose]();
});

/** Something that only the visitor and the shop may know. */
const SECRET = 'voucher-of-anna';

interface Deployed extends AsyncDisposable {
  readonly url: string;
  /** Everything that other programs read in Redis, if there is one. */
  readonly inRedis?: () => Promise<string>;
}

const DEPLOYMENTS: Readonly<Record<string, () => Promise<Deployed>>> = {
  'one process': () => startServer(),
  'a gateway, two servers of each kind and Redis': async () => {
    const all = await Topology.start();
    await all.allReady();
    return {
      url: all.gateways[0].url,
      inRedis: async () => JSON.stringify(await all.redis.store.hgetall(`online_users:${TENANT}`)),
      [Symbol.asyncDispose]: () => all[Symbol.asyncDispose](),
    };
  },
};

const arrive = (server: { readonly url: string }): Promise<TestPage> =>
  browser.open(`${address(shop, server)}&${SECRET}=1#${SECRET}`);

for (const [name, deploy] of Object.entries(DEPLOYMENTS)) {
  describe(name, () => {
    // One for each story: who was there before, and what they have said, would count in the next one.
    let system: Deployed;
    beforeEach(async () => {
      system = await deploy();
    });
    afterEach(() => system[Symbol.asyncDispose]());
    const agent = () => Agent.open(browser, address(desk, system));

    test('a visit: comes, goes on, rests, comes back, leaves', async () => {
      await using first = await agent();
      await first.seesNobody();
      await using visitor = await browser.open('about:blank');
      const { page } = visitor;
      await page.clock.install();
      await page.goto(`${address(shop, system)}&${SECRET}=1#${SECRET}`);
      const host = new URL(shop.url).host;
      await first.sees('Fernweh – bags for long ways', `${host}/`, 'New', 'Active');

      await page.getByRole('link', { name: 'Choose' }).first().click();
      await first.sees('Waldgang – Fernweh', `${host}/waldgang/`, 'Active');
      await page.goBack();
      await first.sees('Fernweh – bags for long ways', 'Active');

      const tab = new Tab(page);
      await tab.isHidden(true);
      await page.clock.fastForward(30_000);
      await first.sees(/Idle/);
      await tab.isHidden(false);
      await page.mouse.move(200, 200);
      await first.sees('Active');

      // Whoever comes later sees the same, and the hour so far.
      await using second = await agent();
      await second.sees('Fernweh – bags for long ways', `${host}/`);
      const chart = second.page.getByRole('table', { name: 'Online in the last hour' });
      await until('the count of this minute', async () => {
        const cells = await chart.getByRole('row').last().getByRole('cell').allInnerTexts();
        if (cells.join() !== '1,1') throw new Error(cells.join());
        return true;
      });

      const listed = await fetch(`${system.url}/api/chat/online-users?tenantId=${TENANT}`, {
        headers: { authorization: `Bearer ${ADMIN_KEY}` },
      });
      for (const told of [
        await first.page.content(),
        await second.page.content(),
        await listed.text(),
        (await system.inRedis?.()) ?? '',
      ]) {
        expect(told).not.toContain(SECRET);
      }

      await visitor[Symbol.asyncDispose]();
      await first.seesNobody();
      await second.seesNobody();
      for (const { errors } of [visitor, first, second]) expect(errors).toEqual([]);
    });

    test('a conversation: asked in one tab, answered in all, read in one is read in both', async () => {
      await using first = await agent();
      await using second = await agent();
      await using visitor = await arrive(system);
      const one = new Tab(visitor.page);
      await first.sees('Fernweh');
      const two = new Tab(await visitor.page.context().newPage());
      await two.page.goto(`${address(shop, system).replace('/?', '/kurier/?')}`);
      await first.sees('Kurier – Fernweh', /(^|\s)2(\s|$)/);

      await one.opensChat();
      await one.writes('Is the blue one in stock?');
      await first.page.getByRole('tab', { name: /Conversations.*1 waiting/ }).waitFor();
      await first.opensConversation('Is the blue one in stock?');
      await first.reads('Is the blue one in stock?');
      await first.writes('Yes, it is.');
      await one.reads('Yes, it is.');
      await first.page.getByRole('tab', { name: /^Conversations$/ }).waitFor();
      // It was looked at where it was asked.
      await two.unread(0);

      await one.closesChat();
      await first.writes('Shall we put it aside?');
      await one.unread(1);
      await two.unread(1);
      await two.opensChat();
      await two.reads('Is the blue one in stock?');
      await two.reads('Yes, it is.');
      await two.reads('Shall we put it aside?');
      await one.unread(0);

      await second.opensConversation('Shall we put it aside?');
      await second.reads('Is the blue one in stock?');
      await second.reads('Yes, it is.');
      await second.writes('I have put it aside.');
      await first.reads('I have put it aside.');
      await two.reads('I have put it aside.');
      for (const { errors } of [visitor, first, second]) expect(errors).toEqual([]);
    });

    test('staff speak first', async () => {
      await using first = await agent();
      await using second = await agent();
      await using visitor = await arrive(system);
      await first.sees('Fernweh');
      await first.opensVisitor();
      await first.writes('Can I help you?');
      const tab = new Tab(visitor.page);
      await tab.unread(1);
      await tab.page.getByText('Can I help you?').waitFor();
      await second.opensConversation('Can I help you?');
      await tab.opensChat();
      await tab.writes('Yes, please.');
      await first.reads('Yes, please.');
      await second.reads('Yes, please.');
      for (const { errors } of [visitor, first, second]) expect(errors).toEqual([]);
    });

    test('a reload in the middle of a sentence, and one with a message that is not sent', async () => {
      await using network = await TcpProxy.start(Number(new URL(system.url).port));
      await using first = await agent();
      await using visitor = await arrive({ url: `http://127.0.0.1:${network.port}` });
      const tab = new Tab(visitor.page);
      await first.sees('Fernweh');
      await tab.opensChat();
      await tab.writes('Hello');
      await first.opensConversation('Hello');

      await tab.input().fill('Do you also have it in gr');
      await tab.page.reload();
      await tab.reads('Hello');
      expect(await tab.input().inputValue()).toBe('Do you also have it in gr');

      network.cut();
      await tab.writes('Do you also have it in green?');
      await tab.page.reload();
      await tab.reads('Do you also have it in green?');
      network.mend();
      await first.reads('Do you also have it in green?');
      await first.writes('Only in moss.');
      await tab.reads('Only in moss.');
      await tab.reads('Hello');
      await tab.reads('Do you also have it in green?');
      // Nothing that was sent twice would come after what was written later.
      await tab.writes('Thank you');
      await first.reads('Thank you');
      await first.reads('Do you also have it in green?');
      for (const { errors } of [visitor, first]) expect(errors).toEqual([]);
    });
  });
}
