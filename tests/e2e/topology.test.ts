/**
 * The whole system from outside: pages in a browser, gateways, socket servers and API servers, one Redis. A visitor and an agent
 * who come through different gateways talk, and what happens to servers meanwhile is nobody's business.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, onTestFailed, test } from 'vitest';
import { type Page, TestBrowser } from '../support/browser.ts';
import { address, exampleDashboard, exampleShop, rows } from '../support/examples.ts';
import type { Node } from '../support/node.ts';
import { type ChatMessage, OfficialClient, type OnlineUser } from '../support/official-client.ts';
import type { Site } from '../support/site.ts';
import { Topology } from '../support/topology.ts';
import { until } from '../support/until.ts';

let browser: TestBrowser;
let dashboard: Site;
let shop: Site;

beforeAll(async () => {
  [browser, dashboard, shop] = await Promise.all([
    TestBrowser.launch(),
    exampleDashboard('topology-dashboard'),
    exampleShop('topology-shop'),
  ]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await dashboard[Symbol.asyncDispose]();
  await shop[Symbol.asyncDispose]();
});

/** Those who are watched while servers come and go. */
interface Scene {
  readonly staff: Page;
  readonly visitor: Page;
  readonly agent: OfficialClient;
}

/** The dashboard's two, for visitors and for conversations, the two visitors' pages and the agent's. */
const SOCKETS = 5;

test('neither gateways nor lost servers come between a visitor and the staff', async () => {
  await using system = await Topology.start();
  onTestFailed(() => console.error(system.output));
  const [here, there] = system.gateways;
  const options = { viewport: { width: 1100, height: 760 } };
  await using staff = await browser.open(address(dashboard, there), options);
  await staff.page.getByText('Real-time').waitFor();
  using agent = await OfficialClient.admin(there.url);

  // A visitor appears, writes and is answered.
  const visitor = await browser.open(address(shop, here), options);
  const came = await agent.first<OnlineUser>('user_online');
  await rows(staff.page).first().waitFor();
  await visitor.page.getByRole('button', { name: 'Open chat' }).click();
  await write(visitor.page, 'Is the moss one in stock?');
  const { sessionId = '', userId } = came;
  await until('the question in the conversation', async () =>
    (await conversation(agent, sessionId)).includes('Is the moss one in stock?'),
  );
  await agent.send('The last one', { sessionId });
  await visitor.page.getByText('The last one').waitFor();

  const other = await browser.open(address(shop, there), options);
  await rows(staff.page).nth(1).waitFor();
  await pictures({ dashboard: staff.page, shop: visitor.page });
  const scene = { staff: staff.page, visitor: visitor.page, agent };
  const missed = await watch(staff.page, await rows(staff.page).allInnerTexts());

  // The server that has them all is stopped, and they go on at the other one.
  const all = await until('all clients on one server', async () => {
    const counts = await Promise.all(system.ws.map((node) => system.sockets(node)));
    return system.ws.find((_, index) => counts[index] === SOCKETS);
  });
  expect(await all.stop()).toBe(0);
  await movedFrom(all, system);
  const returned = await goesOn(scene, came);
  await all.startAgain();
  await system.allReady();

  // The one they are at now is lost without a word.
  const lost = all === system.ws[0] ? system.ws[1] : system.ws[0];
  await lost.kill();
  await movedFrom(lost, system);
  await goesOn(scene, returned);
  await lost.startAgain();
  await system.allReady();
  expect(await missed()).toEqual([]);
  expect(agent.all<{ userId: string }>('user_offline')).toEqual([]);

  await visitor[Symbol.asyncDispose]();
  await agent.offline(userId);
  await rows(staff.page).nth(1).waitFor({ state: 'detached' });
  await other[Symbol.asyncDispose]();
  await rows(staff.page).first().waitFor({ state: 'detached' });
  for (const opened of [staff, visitor, other]) expect(opened.errors).toEqual([]);
});

async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox').fill(text);
  await page.getByRole('textbox').press('Enter');
}

/** What has been said in a session's conversation, which the agent follows from now on. */
async function conversation(agent: OfficialClient, sessionId: string): Promise<string[]> {
  const { messages }: { messages: ChatMessage[] } = await agent.socket.emitWithAck(
    'join_conversation',
    { sessionId },
  );
  return messages.map(({ text }) => text);
}

/** Resolves when all clients are at the other server. */
async function movedFrom(server: Node, system: Topology): Promise<void> {
  const [elsewhere] = system.ws.filter((node) => node !== server);
  if (!elsewhere) throw new Error('there is no other server');
  await until(
    'all clients at the other server',
    async () => (await system.sockets(elsewhere)) === SOCKETS,
  );
}

/** The dashboard is told of what happens, and the visitor and the agent hear each other, by a session that is new. */
async function goesOn({ staff, visitor, agent }: Scene, before: OnlineUser): Promise<OnlineUser> {
  await staff.getByText('Real-time').waitFor();
  await agent.connected();
  const now = await until('the visitor by another session', async () =>
    (await agent.list()).find(
      ({ userId, sessionId }) => userId === before.userId && sessionId !== before.sessionId,
    ),
  );
  const { sessionId = '' } = now;
  await agent.send(`Still here, ${sessionId}?`, { sessionId });
  await visitor.getByText(`Still here, ${sessionId}?`).waitFor();
  await write(visitor, `Yes, ${sessionId}`);
  await until('the answer in the conversation', async () =>
    (await conversation(agent, sessionId)).includes(`Yes, ${sessionId}`),
  );
  return now;
}

/** Notes from now on whenever one of these rows is not on the page; resolves with a way to read the notes. */
async function watch(page: Page, texts: readonly string[]): Promise<() => Promise<string[]>> {
  // A row also holds a clock.
  const names = texts.map((text) => /Visitor \S+/.exec(text)?.[0] ?? '');
  expect(names.filter((name) => name === '')).toEqual([]);
  await page.evaluate((expected) => {
    const missed = ((window as Window & { missed?: string[] }).missed = [] as string[]);
    const look = (): void => {
      const shown = document.body.innerText;
      missed.push(...expected.filter((name) => !shown.includes(name)));
    };
    const changes = { childList: true, characterData: true, subtree: true };
    new MutationObserver(look).observe(document.body, changes);
  }, names);
  return () => page.evaluate(() => (window as Window & { missed?: string[] }).missed ?? []);
}

async function pictures(pages: Readonly<Record<string, Page>>): Promise<void> {
  for (const [name, page] of Object.entries(pages)) {
    await page.screenshot({ path: join(inject('artifacts'), `topology-${name}.png`) });
  }
}
