/** The presence rules where the old system was wrong: tabs, reloads, tenants. Official clients, our server. */
import { expect, test } from 'vitest';
import { startServer, tenantsFile } from '../support/backends.ts';
import { OfficialClient, type OnlineUser } from '../support/official-client.ts';

const USER = 'anonymous-v1';
/** Long enough for a reload on a slow machine. */
const grace = ['--offline-grace', '3s'];
/** For tests in which every leave is meant. */
const noGrace = ['--offline-grace', '10ms'];

/** What an admin was told of one user, in order: `+session` or `-`. */
function story(admin: OfficialClient, userId = USER): string[] {
  return admin.heard.flatMap(({ event, payload }) => {
    const user = payload as OnlineUser;
    if (event === 'user_online' && user.userId === userId) return [`+${user.sessionId}`];
    if (event === 'user_offline' && user.userId === userId) return ['-'];
    return [];
  });
}

test('the end of a hidden tab tells nothing and hides nobody', async () => {
  await using server = await startServer({ args: noGrace });
  using admin = await OfficialClient.admin(server.url);
  using older = await OfficialClient.visitor(server.url, 'v1');
  using newer = await OfficialClient.visitor(server.url, 'v1');
  const [first, second] = [older.id, newer.id];
  await admin.first<OnlineUser>('user_online', (user) => user.sessionId === second);

  older.close();
  // Another visitor comes and goes after it, through the same room.
  const other = await OfficialClient.visitor(server.url, 'other');
  other.close();
  await admin.offline('anonymous-other');
  expect(await admin.list()).toMatchObject([{ userId: USER, sessionId: second }]);

  newer.close();
  await admin.offline(USER);
  expect(story(admin)).toEqual([`+${first}`, `+${second}`, '-']);
  expect(await admin.list()).toEqual([]);
});

test('the end of the shown tab shows the other one', async () => {
  await using server = await startServer({ args: noGrace });
  using admin = await OfficialClient.admin(server.url);
  using older = await OfficialClient.visitor(server.url, 'v1', { query: { url: 'https://a/1' } });
  using newer = await OfficialClient.visitor(server.url, 'v1', { query: { url: 'https://a/2' } });
  const [first, second] = [older.id, newer.id];
  await admin.first<OnlineUser>('user_online', (user) => user.sessionId === second);

  newer.close();
  await admin.first('user_online', () => story(admin).length === 3);
  expect(story(admin)).toEqual([`+${first}`, `+${second}`, `+${first}`]);
  expect(await admin.list()).toMatchObject([{ sessionId: first, url: 'https://a/1' }]);
  older.close();
  await admin.offline(USER);
});

test('a reload never flickers', async () => {
  await using server = await startServer({ args: grace });
  using admin = await OfficialClient.admin(server.url);
  using before = await OfficialClient.visitor(server.url, 'v1');
  const first = before.id;
  before.close();
  // In between the user is still listed.
  expect(await admin.list()).toMatchObject([{ userId: USER }]);
  using after = await OfficialClient.visitor(server.url, 'v1');
  const second = after.id;
  await admin.first<OnlineUser>('user_online', (user) => user.sessionId === second);
  after.close();
  await admin.offline(USER);
  expect(story(admin)).toEqual([`+${first}`, `+${second}`, '-']);
});

test('a slow goodbye of the old page never removes the new one', async () => {
  await using server = await startServer({ args: noGrace });
  using admin = await OfficialClient.admin(server.url);
  // The old page polls, so its end is noticed late; the new one is there at once.
  using old = await OfficialClient.visitor(server.url, 'v1', {
    socket: { transports: ['polling'] },
  });
  const first = old.id;
  using renewed = await OfficialClient.visitor(server.url, 'v1');
  const second = renewed.id;
  await admin.first<OnlineUser>('user_online', (user) => user.sessionId === second);
  old.close();
  expect(await admin.list()).toMatchObject([{ userId: USER, sessionId: second }]);
  renewed.close();
  await admin.offline(USER);
  expect(story(admin)).toEqual([`+${first}`, `+${second}`, '-']);
});

test('a client that leaves in the instant it joins leaves no ghost', async () => {
  await using server = await startServer({ args: noGrace });
  using admin = await OfficialClient.admin(server.url);
  const clients = Array.from({ length: 200 }, (_, index) => {
    const client = OfficialClient.open(server.url, { auth: { visitorId: `hasty-${index}` } });
    client.socket.once('connect', () => client.close());
    return client;
  });
  await Promise.all(
    clients.map((_, index) => admin.offline(`anonymous-hasty-${index}`)),
  );
  expect(await admin.list()).toEqual([]);
});

test('admins are not listed and not announced', async () => {
  await using server = await startServer({ args: noGrace });
  using admin = await OfficialClient.admin(server.url);
  using second = await OfficialClient.admin(server.url);
  using visitor = await OfficialClient.visitor(server.url, 'v1');
  await admin.online(USER);
  await second.online(USER);
  expect(admin.all<OnlineUser>('user_online').map((user) => user.userId)).toEqual([USER]);
  expect((await second.list()).map((user) => user.sessionId)).toEqual([visitor.id]);
});

test('tenants never hear of each other', async () => {
  await using file = await tenantsFile(`
[[tenants]]
id = "1"
name = "One"
admin_keys = ["one"]

[[tenants]]
id = "2"
name = "Two"
admin_keys = ["two"]
`);
  await using server = await startServer({ args: ['--tenants', file.path, ...noGrace] });
  const tenant = (tenantId: string, token: string) =>
    OfficialClient.admin(server.url, { tenantId, auth: { token } });
  using one = await tenant('1', 'one');
  using two = await tenant('2', 'two');

  using stranger = await OfficialClient.visitor(server.url, 'same', { tenantId: '2' });
  await two.online('anonymous-same');
  stranger.close();
  await two.offline('anonymous-same');
  // What concerns the first tenant comes after everything the second one heard.
  using own = await OfficialClient.visitor(server.url, 'own', { tenantId: '1' });
  await one.online('anonymous-own');
  expect(one.heard.map(({ event }) => event)).toEqual(['user_online']);

  // Asking for somebody else's list brings nothing; numbers are as good as strings for one's own.
  one.socket.emit('get_online_users', { tenantId: '2' });
  expect(await one.list(1)).toMatchObject([{ userId: 'anonymous-own', sessionId: own.id }]);
  expect(one.all('online_users_list')).toHaveLength(1);
});
