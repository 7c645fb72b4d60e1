/** What a desk is shown beside the list, by the package's stores against real servers: conversations, groups, the last hour. */
import { afterEach, beforeAll, expect, test } from 'vitest';
import { ADMIN_KEY, startReference, startServer, TENANT } from '../support/backends.ts';
import { type Chat, nodePackage } from '../support/node-client.ts';
import { OfficialClient } from '../support/official-client.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

let chat: typeof Chat;
const leaves: (() => void)[] = [];

beforeAll(async () => {
  chat = await nodePackage('desk-data');
});

afterEach(() => {
  leaves.splice(0).forEach((leave) => leave());
});

/** Follows a store until the test ends. */
function follow<S extends Chat.SnapshotStore<unknown>>(store: S): S {
  leaves.push(store.subscribe(() => {}));
  return store;
}

const said = ({ getSnapshot }: Chat.ConversationsStore) =>
  getSnapshot().conversations.map(({ userId, lastMessage: { text, sender } }) => [
    userId,
    sender,
    text,
  ]);

test('what visitors and staff say shows in the list as it is said', async () => {
  await using server = await startServer();
  chat.configure({ gatewayUrl: server.url, apiKey: ADMIN_KEY });
  using ann = await OfficialClient.visitor(server.url, 'ann');
  await ann.send('before anybody looked');
  const store = follow(chat.createConversations(TENANT));
  await until('the list', () => store.getSnapshot().conversations.length === 1);
  expect(store.getSnapshot()).toMatchObject({ isConnected: true, error: null, hasMore: false });

  using bob = await OfficialClient.visitor(server.url, 'bob');
  await bob.send('Is this in stock?');
  await until('his message', () => store.getSnapshot().conversations.length === 2);
  expect(said(store)).toEqual([
    ['anonymous-bob', 'user', 'Is this in stock?'],
    ['anonymous-ann', 'user', 'before anybody looked'],
  ]);

  // Answered where the summary says.
  const { sessionId } = store.getSnapshot().conversations[1] ?? {};
  const answer = follow(chat.createConversation(TENANT, { sessionId }));
  answer.send('May I help?');
  await until('the answer', () => said(store)[0]?.[2] === 'May I help?');
  expect(said(store).map(([user, sender]) => [user, sender])).toEqual([
    ['anonymous-ann', 'agent'],
    ['anonymous-bob', 'user'],
  ]);
});

test('what was said while the network was away is there when it is back', async () => {
  await using server = await startServer();
  await using network = await TcpProxy.start(Number(new URL(server.url).port));
  chat.configure({ gatewayUrl: `http://127.0.0.1:${network.port}`, apiKey: ADMIN_KEY });
  const store = follow(chat.createConversations(TENANT));
  await until('the socket', () => store.getSnapshot().isConnected);
  network.cut();
  await until('the loss', () => !store.getSnapshot().isConnected);
  using ann = await OfficialClient.visitor(server.url, 'ann');
  await ann.send('anybody there?');
  network.mend();
  await until('her message', () => said(store)[0]?.[2] === 'anybody there?');
});

test('the list is read page by page', async () => {
  await using server = await startServer();
  chat.configure({ gatewayUrl: server.url, apiKey: ADMIN_KEY });
  const texts = Array.from({ length: 60 }, (_, at) => `message ${at}`);
  for (const [at, text] of texts.entries()) {
    using visitor = await OfficialClient.visitor(server.url, `v${at}`);
    await visitor.send(text);
  }
  const store = follow(chat.createConversations(TENANT));
  await until('the first page', () => store.getSnapshot().conversations.length === 50);
  expect(store.getSnapshot().hasMore).toBe(true);
  await store.loadMore();
  expect(said(store).map(([, , text]) => text)).toEqual(texts.toReversed());
  expect(store.getSnapshot()).toMatchObject({ hasMore: false, error: null });
});

test('pages are counted by those who look at them', async () => {
  await using server = await startServer();
  chat.configure({ gatewayUrl: server.url, apiKey: ADMIN_KEY });
  const at = (path: string) => ({ query: { url: `https://shop.example${path}` } });
  using ann = await OfficialClient.visitor(server.url, 'ann', at('/cart'));
  using bob = await OfficialClient.visitor(server.url, 'bob', at('/'));
  using cy = await OfficialClient.visitor(server.url, 'cy', at('/cart'));
  const view = follow(chat.createOnlineUsersStore(TENANT).view({ group: 'url' }));
  await until('all of them', () => view.getSnapshot().total === 3);
  expect(view.getSnapshot()).toMatchObject({
    groups: [
      { value: 'https://shop.example/cart', count: 2 },
      { value: 'https://shop.example/', count: 1 },
    ],
    groupTotal: 2,
  });
  expect([ann, bob, cy].every(({ socket }) => socket.connected)).toBe(true);
});

test('rows are found and sorted by what their pages tell of the visit', async () => {
  await using server = await startServer();
  chat.configure({ gatewayUrl: server.url, apiKey: ADMIN_KEY });
  const visit = (told: object) => ({ auth: { visit: { url: 'https://shop.example/', ...told } } });
  using ann = await OfficialClient.visitor(server.url, 'ann', visit({ title: 'Cart', visits: 12 }));
  using bob = await OfficialClient.visitor(server.url, 'bob', visit({ visits: 3, idle: 60_000 }));
  using cy = await OfficialClient.visitor(server.url, 'cy', visit({ visits: 1, elapsed: 90_000 }));
  using old = await OfficialClient.visitor(server.url, 'old');
  const view = follow(chat.createOnlineUsersStore(TENANT).view());
  const shows = async (query: Chat.OnlineUsersQuery, ...users: string[]) => {
    view.update(query);
    await until(JSON.stringify(query), () => {
      const { users: rows, isLoading } = view.getSnapshot();
      const ids = rows.map(({ userId }) => userId.replace('anonymous-', ''));
      return !isLoading && ids.join() === users.join();
    });
  };
  await shows({}, 'ann', 'bob', 'cy', 'old');
  await shows({ search: 'cart' }, 'ann');
  await shows({ sort: { field: 'visits', direction: 'desc' } }, 'ann', 'bob', 'cy', 'old');
  await shows({ sort: 'startedAt' }, 'cy', 'ann', 'bob', 'old');
  await shows({ filter: { idle: true } }, 'bob');
  await shows({ filter: { returning: true } }, 'ann', 'bob');
  bob.socket.emit('update_presence', { title: 'Checkout' });
  await shows({ filter: { idle: true } });
  await shows({ search: 'checkout' }, 'bob');
  expect([ann, cy, old].every(({ socket }) => socket.connected)).toBe(true);
});

test('the last sample of the last hour is of now', async () => {
  await using server = await startServer();
  chat.configure({ gatewayUrl: server.url, apiKey: ADMIN_KEY });
  using ann = await OfficialClient.visitor(server.url, 'ann');
  const store = follow(chat.createOnlineHistory(TENANT));
  await until('the samples', () => !store.getSnapshot().isLoading);
  const { samples, error } = store.getSnapshot();
  expect(error).toBe(null);
  expect(samples.at(-1)).toMatchObject({ online: 1 });
  expect(ann.socket.connected).toBe(true);
});

test('an old server is a failure that says so, and nothing else', async () => {
  await using server = await startReference();
  chat.configure({ gatewayUrl: server.url, apiKey: ADMIN_KEY });
  const conversations = follow(chat.createConversations(TENANT));
  const history = follow(chat.createOnlineHistory(TENANT));
  await until('both answers', () => conversations.getSnapshot().error && history.getSnapshot().error);
  expect(conversations.getSnapshot()).toMatchObject({
    conversations: [],
    isLoading: false,
    isConnected: true,
    error: { code: 'NOT_FOUND' },
  });
  expect(history.getSnapshot()).toMatchObject({ samples: [], error: { code: 'NOT_FOUND' } });
});
