// @vitest-environment node
/** Live views over rows that change, with the real index: what they show, when, and what they leave behind. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ChatError } from '../lib/errors.js';
import { openView } from '../lib/view/open.js';
import type { OnlineUser } from '../lib/types.js';
import type { OnlineUsersGroup, OnlineUsersQuery, OnlineUsersView } from '../lib/view/types.js';
import { plan } from '../lib/view/query.js';
import { type ViewExports, ViewIndex } from '../lib/view/rows-index.js';
import { view as built, wasmBytes } from './built-view.js';
import { FakeRows, naive, naiveGroups, random } from './view-rows.js';

const user = (userId: string, more: Partial<OnlineUser> = {}): OnlineUser => ({
  userId,
  connectedAt: '2024-01-15T10:30:00.000Z',
  ...more,
});

const stops: (() => void)[] = [];
beforeEach(() => {
  built.broken = false;
});
afterEach(() => {
  stops.splice(0).forEach((stop) => stop());
});

function watch(rows: FakeRows, query?: OnlineUsersQuery, listener = () => {}) {
  const view = openView(rows, query);
  const stop = view.subscribe(listener);
  stops.push(stop);
  return Object.assign(view, { stop, ids: () => ids(view) });
}

/** Milliseconds: a busy machine may take its time. */
const PATIENCE = 4000;

const ids = (view: OnlineUsersView) => view.getSnapshot().users.map(({ userId }) => userId);
const ready = (...views: OnlineUsersView[]) =>
  vi.waitFor(() => {
    for (const view of views) {
      expect(view.getSnapshot().isLoading).toBe(false);
    }
  }, PATIENCE);

function rowsOf(...users: OnlineUser[]): FakeRows {
  const rows = new FakeRows();
  users.forEach((each) => rows.put(each));
  return rows;
}

test('nothing is followed before the first subscriber, and all is let go after the last', async () => {
  const rows = rowsOf(user('ann'));
  const view = openView(rows);
  view.update({ search: 'ann' });
  expect(rows.followers.size).toBe(0);
  expect(view.getSnapshot()).toEqual({
    users: [],
    offset: 0,
    total: 0,
    groups: [],
    groupTotal: 0,
    isLoading: true,
    error: null,
  });
  const [one, two] = [view.subscribe(() => {}), view.subscribe(() => {})];
  await ready(view);
  expect(ids(view)).toEqual(['ann']);
  one();
  await Promise.resolve();
  expect(rows.followers.size).toBe(1);
  expect(rows.dirty).toEqual([]);
  two();
  await vi.waitFor(() => expect(rows.followers.size).toBe(0));
  expect(rows.dirty).toBe(null);
});

test('a view that was left may be watched again', async () => {
  const rows = rowsOf(user('ann'));
  const view = watch(rows);
  await ready(view);
  view.stop();
  await vi.waitFor(() => expect(rows.dirty).toBe(null));
  rows.put(user('bob'));
  stops.push(view.subscribe(() => {}));
  expect(view.ids()).toEqual(['ann', 'bob']);
  view.close();
  expect(rows.followers.size).toBe(0);
});

test('views that come and go leave no place behind in the index', () => {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasmBytes()));
  const index = new ViewIndex(instance.exports as unknown as ViewExports, rowsOf(user('ann')));
  const visit = (query: OnlineUsersQuery) => {
    const view = index.open();
    index.ask(view, plan(query));
    index.advance(() => false);
    const total = index.total(view);
    index.close(view);
    return { view, total };
  };
  index.open();
  const first = visit({ search: 'bob' });
  expect(first.total).toBe(0);
  expect(visit({ search: 'ann' })).toEqual({ view: first.view, total: 1 });
});

test('a view follows the rows', async () => {
  const rows = rowsOf(user('ann'), user('bob'), user('cy'));
  const listener = vi.fn();
  const view = watch(rows, { limit: 2 }, listener);
  await ready(view);
  expect(view.getSnapshot()).toMatchObject({ offset: 0, total: 3 });
  expect(view.ids()).toEqual(['ann', 'bob']);
  listener.mockClear();

  rows.remove('ann');
  rows.put(user('dan'));
  rows.tell();
  expect(view.ids()).toEqual(['bob', 'cy']);
  expect(view.getSnapshot().total).toBe(3);
  expect(listener).toHaveBeenCalledTimes(1);
});

test('a snapshot stays the same object until something visible changes', async () => {
  const rows = rowsOf(user('ann'), user('bob', { domain: 'b.example' }));
  const listener = vi.fn();
  const view = watch(rows, { filter: { domain: 'B.example' } }, listener);
  await ready(view);
  expect(view.ids()).toEqual(['bob']);
  const before = view.getSnapshot();
  listener.mockClear();
  rows.put(user('ann', { url: 'https://a.example/' }));
  rows.put(user('cy'));
  rows.tell();
  view.update({ filter: { domain: 'b.example' }, sort: 'userId' });
  await ready(view);
  expect(view.getSnapshot()).toBe(before);
  expect(listener).not.toHaveBeenCalled();

  rows.put(user('bob', { domain: 'b.example', url: 'https://b.example/' }));
  rows.tell();
  expect(view.getSnapshot()).not.toBe(before);
  expect(view.getSnapshot().users[0]).toBe(rows.rows[1]);
});

test('scrolling answers at once', async () => {
  const rows = rowsOf(...Array.from({ length: 500 }, (_, at) => user(`u${at}`)));
  const view = watch(rows);
  await ready(view);
  expect(view.getSnapshot().users).toHaveLength(50);
  view.update({ offset: 498, limit: 10 });
  expect(view.getSnapshot()).toMatchObject({ offset: 498, total: 500, isLoading: false });
  expect(view.ids()).toEqual(['u498', 'u499']);
  view.update({ offset: 9999 });
  expect(view.getSnapshot()).toMatchObject({ users: [], offset: 9999, total: 500 });
  view.update({ offset: -3.5, limit: 1.9 });
  expect(view.ids()).toEqual(['u0']);
  view.update({ offset: Number.NaN, limit: Number.POSITIVE_INFINITY });
  expect(view.ids()).toHaveLength(500);
});

test('all words of a search must occur, in any field and letter case', async () => {
  const rows = rowsOf(
    user('Ann', { url: 'https://shop.example/Cart', origin: 'https://shop.example' }),
    user('bob', { domain: 'shop.example' }),
    user('Änne', { url: 'https://other.example/cart' }),
  );
  const view = watch(rows, { search: ' CART  ann ' });
  await ready(view);
  expect(view.ids()).toEqual(['Ann']);
  for (const [search, found] of [
    ['shop.example', ['Ann', 'bob']],
    ['ÄNNE', ['Änne']],
    ['nn', ['Ann', 'Änne']],
    ['cart shop bob', []],
    // The end of one field and the beginning of the next are not one text.
    ['annhttps', []],
    ['   ', ['Ann', 'bob', 'Änne']],
  ] as const) {
    view.update({ search });
    expect(view.ids(), search).toEqual(found);
  }
});

test('a title is searched and sorted by like the other texts', async () => {
  const rows = rowsOf(
    user('ann', { title: 'Red Shoes' }),
    user('bob', { title: 'Checkout', url: 'https://shop.example/checkout' }),
    user('cy'),
  );
  const view = watch(rows, { search: 'shoes' });
  await ready(view);
  expect(view.ids()).toEqual(['ann']);
  view.update({ search: 'CHECKOUT' });
  expect(view.ids()).toEqual(['bob']);
  view.update({ sort: 'title' });
  await ready(view);
  expect(view.ids()).toEqual(['cy', 'bob', 'ann']);
});

test('numbers are sorted as numbers, and what a row lacks has its place', async () => {
  const rows = rowsOf(
    user('nine', { visits: 9, tabs: 2 }),
    user('unknown'),
    user('ten', { visits: 10, tabs: 12 }),
    user('odd', { visits: '7' as unknown as number, tabs: -1 }),
    user('many', { visits: 1200 }),
  );
  const view = watch(rows, { sort: { field: 'visits', direction: 'desc' } });
  await ready(view);
  expect(view.ids()).toEqual(['many', 'ten', 'nine', 'unknown', 'odd']);
  view.update({ sort: 'tabs' });
  await ready(view);
  expect(view.ids()).toEqual(['unknown', 'odd', 'many', 'nine', 'ten']);
  view.update({ filter: { returning: true }, sort: 'visits' });
  await ready(view);
  expect(view.ids()).toEqual(['nine', 'ten', 'many']);
  view.update({ filter: { returning: false } });
  expect(view.ids()).toEqual(['unknown', 'odd']);
});

test('who is idle is found, and the longest of them comes first', async () => {
  const rows = rowsOf(
    user('active', { startedAt: '2024-01-15T09:00:00.000Z' }),
    user('briefly', { idleSince: '2024-01-15T10:40:00.000Z' }),
    user('long', { idleSince: '2024-01-15T10:35:00.000Z' }),
  );
  const view = watch(rows, { sort: 'idleSince' });
  await ready(view);
  expect(view.ids()).toEqual(['long', 'briefly', 'active']);
  view.update({ filter: { idle: true } });
  await ready(view);
  expect(view.ids()).toEqual(['briefly', 'long']);
  rows.put(user('long'));
  rows.tell();
  expect(view.ids()).toEqual(['briefly']);
  view.update({ filter: { idle: false }, sort: 'startedAt' });
  await ready(view);
  // Without a visit, the connection began it.
  expect(view.ids()).toEqual(['active', 'long']);
});

test('groups count the rows that the view has, whatever its window', async () => {
  const at = (userId: string, path: string) => user(userId, { url: `https://shop.example${path}` });
  const rows = rowsOf(at('ann', '/Cart'), at('bob', '/cart'), at('cy', '/'), user('dan'));
  const listener = vi.fn();
  const view = watch(rows, { group: 'url', limit: 1 }, listener);
  await ready(view);
  expect(view.getSnapshot()).toMatchObject({ total: 4, groupTotal: 3 });
  expect(view.getSnapshot().groups).toEqual([
    { value: 'https://shop.example/Cart', count: 2 },
    { value: '', count: 1 },
    { value: 'https://shop.example/', count: 1 },
  ]);
  rows.put(at('bob', '/'));
  rows.remove('dan');
  rows.tell();
  expect(view.getSnapshot().groups).toEqual([
    { value: 'https://shop.example/', count: 2 },
    { value: 'https://shop.example/Cart', count: 1 },
  ]);
  const before = view.getSnapshot();
  listener.mockClear();
  rows.put({ ...at('bob', '/'), title: 'Home' });
  rows.tell();
  expect(view.getSnapshot()).toBe(before);
  expect(listener).not.toHaveBeenCalled();
  view.update({ group: 'url', search: 'ann' });
  await ready(view);
  expect(view.getSnapshot()).toMatchObject({ groups: [{ count: 1 }], groupTotal: 1 });
  view.update({});
  expect(view.getSnapshot()).toMatchObject({ groups: [], groupTotal: 0, total: 3 });
});

test('of many groups the largest are shown', async () => {
  const rows = rowsOf(user('none'));
  for (let page = 1; page <= 300; page++) {
    for (let each = 0; each < (page % 5) + 1; each++) {
      rows.rows.push(user(`${page}-${each}`, { url: `https://shop.example/${page}` }));
    }
  }
  const query = { group: 'url', limit: 0 } as const;
  const view = watch(rows, query);
  await ready(view);
  const { groups, groupTotal } = view.getSnapshot();
  const all = naiveGroups(naive(rows.rows, query), query);
  expect(groupTotal).toBe(301);
  expect(groups.map(({ count }) => count)).toEqual(all.slice(0, 200).map(({ count }) => count));
  const sizes = new Map(all.map(({ value, count }) => [value, count]));
  expect(groups.filter(({ value, count }) => sizes.get(value) !== count)).toEqual([]);
});

test("a user's texts cannot disturb those of others", async () => {
  const rows = rowsOf(
    user('a\u0001b\u0000c', { domain: '\u0001\u0001' }),
    user('victim', { domain: 'v.example' }),
    { ...user('odd'), domain: 7 as unknown as string, url: null as unknown as string },
  );
  const view = watch(rows, { search: 'victim', filter: { domain: 'v.example' } });
  await ready(view);
  expect(view.ids()).toEqual(['victim']);
  view.update({ sort: 'domain' });
  await ready(view);
  expect(view.ids()).toEqual(['odd', 'a\u0001b\u0000c', 'victim']);
});

test('while much is to be read, the page gets its turn, and the last answer stays', async () => {
  const rows = rowsOf(...Array.from({ length: 4000 }, (_, at) => user(`u${at}`)));
  const view = watch(rows);
  await ready(view);
  const before = view.getSnapshot();
  // Each look at the clock finds it two milliseconds later.
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 2));
  view.update({ search: '999' });
  expect(view.getSnapshot()).toEqual({ ...before, isLoading: true });
  expect(view.getSnapshot().users).toBe(before.users);
  rows.put(user('u999', { domain: 'changed.example' }));
  rows.put(user('late999'));
  rows.tell();
  expect(view.getSnapshot().isLoading).toBe(true);
  await ready(view);
  expect(view.ids()).toEqual(['u999', 'u1999', 'u2999', 'u3999', 'late999']);
  expect(view.getSnapshot().users[0]).toMatchObject({ domain: 'changed.example' });
});

test('renumbered slots are read anew, and nothing is shown meanwhile that is not so', async () => {
  const rows = rowsOf(...Array.from({ length: 3000 }, (_, at) => user(`u${at}`)));
  const view = watch(rows, { search: 'u', sort: 'userId', limit: 3 });
  await ready(view);
  rows.remove('u0');
  rows.remove('u10');
  rows.squeeze();
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 2));
  rows.tell();
  expect(view.ids()).toEqual(['u0', 'u1', 'u10']);
  await vi.waitFor(() => expect(view.ids()).toEqual(['u1', 'u100', 'u1000']));
  expect(view.getSnapshot().total).toBe(2998);
});

test('views of the same rows share what they read', async () => {
  const rows = rowsOf(user('ann'), user('bob'));
  const [one, two] = [watch(rows, { search: 'ann' }), watch(rows, { sort: 'userId' })];
  await ready(one, two);
  rows.put(user('ann2'));
  // Whichever is told first takes the changes, for both.
  rows.tell();
  expect(one.ids()).toEqual(['ann', 'ann2']);
  expect(two.ids()).toEqual(['ann', 'ann2', 'bob']);
  one.stop();
  await vi.waitFor(() => expect(rows.followers.size).toBe(1));
  rows.remove('ann2');
  rows.tell();
  expect(two.ids()).toEqual(['ann', 'bob']);
  two.stop();
  await vi.waitFor(() => expect(rows.dirty).toBe(null));
});

test('a view waits for rows that are not there yet, and shows why they are not up to date', async () => {
  const rows = rowsOf(user('ann'));
  rows.isThere = false;
  rows.current = { isLoading: true, error: null };
  const view = watch(rows);
  await vi.waitFor(() => expect(rows.followers.size).toBe(1));
  expect(view.getSnapshot()).toMatchObject({ users: [], isLoading: true });
  const error = new ChatError('NETWORK_ERROR', 'gone');
  rows.current = { isLoading: false, error };
  rows.tell();
  expect(view.getSnapshot()).toMatchObject({ users: [], isLoading: false, error });
  rows.isThere = true;
  rows.current = { isLoading: false, error: null };
  rows.tell();
  await ready(view);
  expect(view.getSnapshot()).toMatchObject({ total: 1, error: null });
  rows.current = { isLoading: false, error };
  rows.tell();
  expect(view.getSnapshot()).toMatchObject({ total: 1, error });
});

test('where WebAssembly is not allowed the view says so, and tries again when it is asked again', async () => {
  // Compiled modules are kept, so this needs a page that has compiled none.
  vi.resetModules();
  const { openView: openFresh } = await import('../lib/view/open.js');
  const { view: fresh } = await import('./built-view.js');
  fresh.broken = true;
  const rows = rowsOf(user('ann'));
  const view = openFresh(rows);
  stops.push(view.subscribe(() => {}));
  await vi.waitFor(() =>
    expect(view.getSnapshot()).toMatchObject({
      users: [],
      isLoading: false,
      error: { code: 'WASM_UNAVAILABLE' },
    }),
  );
  fresh.broken = false;
  view.update({});
  await vi.waitFor(() => expect(view.getSnapshot()).toMatchObject({ total: 1, error: null }));
});

test('where WebAssembly is not allowed a configured fallback gives the same view', async () => {
  vi.resetModules();
  const { openView: openFresh } = await import('../lib/view/open.js');
  const { view: fresh } = await import('./built-view.js');
  const { configure } = await import('../lib/config.js');
  const { startView } = await import('./built-no-wasm.js');
  fresh.broken = true;
  configure({ fallback: async () => ({ startCore: () => ({}), startView }) });
  const rows = rowsOf(user('ann'), user('bob'), user('anna'));
  // More than its memory holds at first.
  const url = (at: number) => `https://shop.example/${'long/'.repeat(20)}${at}`;
  rows.rows.push(...Array.from({ length: 20_000 }, (_, at) => user(`guest-${at}`, { url: url(at) })));
  const query = { search: 'AN', sort: { field: 'userId', direction: 'desc' } } as const;
  const view = openFresh(rows, query);
  stops.push(view.subscribe(() => {}));
  await ready(view);
  expect([ids(view), view.getSnapshot().total]).toEqual([['anna', 'ann'], 2]);
  view.update({ search: 'guest long', limit: 1 });
  await vi.waitFor(
    () => expect(view.getSnapshot()).toMatchObject({ total: 20_000, error: null }),
    PATIENCE,
  );
  view.update({ search: '/19999' });
  await vi.waitFor(() => expect(ids(view)).toEqual(['guest-19999']), PATIENCE);
  view.update({ search: 'an', group: 'url' });
  await ready(view);
  expect(view.getSnapshot()).toMatchObject({ groups: [{ value: '', count: 2 }], groupTotal: 1 });
}, 4 * PATIENCE);

const sizes = (groups: readonly OnlineUsersGroup[]) =>
  Object.fromEntries(groups.map(({ value, count }) => [value.toLowerCase(), count]));

const WORDS = ['ann', 'BOB', 'ä', 'Ärger', 'x', '東京', '🙂', '', 'anna'];

test.each([1, 2, 3, 4, 5, 6, 7, 8])('random history %i: views are what the naive way gives', async (seed) => {
  const below = random(seed);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const someone = () => {
    const domain = pick(['a.example', 'B.example', undefined]);
    const origin = pick([domain && `https://${domain}`, 'https://c.example', undefined]);
    const url = pick([origin && `${origin}/${pick(WORDS)}`, undefined]);
    const connectedAt = new Date(1_700_000_000_000 + below(50) * 1000).toISOString();
    const later = new Date(1_700_000_060_000 + below(50) * 1000).toISOString();
    return {
      ...{ userId: `${pick(WORDS)}${below(120)}`, connectedAt, domain, origin, url },
      ...pick([{}, { title: pick(WORDS) }, { idleSince: later, tabs: 2 + below(20) }]),
      ...pick([{}, { startedAt: connectedAt, visits: below(200) }]),
    } as OnlineUser;
  };
  const query = (): OnlineUsersQuery => ({
    filter: pick([
      undefined,
      { domain: pick(['A.example', 'b.example']) },
      { urlPrefix: 'https://c.example/A' },
      { origin: 'HTTPS://a.example', url: undefined },
      { idle: below(2) === 0 },
      { returning: below(2) === 0, domain: 'a.example' },
    ]),
    search: pick([undefined, pick(WORDS), `${pick(WORDS)} ${pick(WORDS)}`, `${below(9)}`]),
    sort: pick([
      undefined,
      'arrival',
      'userId',
      { field: 'connectedAt', direction: 'desc' },
      { field: 'domain' },
      { field: 'url', direction: 'desc' },
      'title',
      'startedAt',
      { field: 'idleSince', direction: pick(['asc', 'desc'] as const) },
      { field: 'visits', direction: pick(['asc', 'desc'] as const) },
      'tabs',
    ] as const),
    group: pick([undefined, 'url', 'domain'] as const),
    offset: below(10),
    limit: below(40),
  });
  const rows = new FakeRows();
  const queries = [query(), query(), query()];
  const views = queries.map((each) => watch(rows, each));
  await ready(...views);
  for (let step = 0; step < 60; step++) {
    for (let change = below(12); change > 0; change--) {
      const row = pick(rows.rows);
      if (row && below(3) === 0) {
        rows.remove(row.userId);
      } else {
        rows.put(someone());
      }
    }
    if (below(8) === 0) {
      rows.squeeze();
    }
    if (below(3) === 0) {
      const at = below(views.length);
      queries[at] = query();
      views[at]?.update(queries[at]);
    }
    rows.tell();
    await ready(...views);
    views.forEach((view, at) => {
      const { offset = 0, limit = 0 } = queries[at] ?? {};
      const wanted = naive(rows.rows, queries[at] ?? {});
      const { users, total, groups, groupTotal } = view.getSnapshot();
      expect([total, users]).toEqual([wanted.length, wanted.slice(offset, offset + limit)]);
      const counted = naiveGroups(wanted, queries[at] ?? {});
      expect(groupTotal).toBe(counted.length);
      expect(sizes(groups)).toEqual(sizes(counted));
      expect(groups.map(({ count }) => count)).toEqual(counted.map(({ count }) => count));
    });
  }
});
