/** What the panel makes of messages: their order of days and speakers, addresses in them, what is news and what is read. */
import { expect, test } from 'vitest';
import type { ConversationMessage } from '../lib/conversation/log.js';
import type { ConversationSnapshot } from '../lib/conversation/room.js';
import { ChatError } from '../lib/errors.js';
import { pieces } from '../lib/widget/links.js';
import { newsBetween } from '../lib/widget/news.js';
import { failureOf, noticeOf } from '../lib/widget/notice.js';
import { clockOf, rowsOf } from '../lib/widget/rows.js';
import { cell, parseKept } from '../lib/widget/storage.js';
import * as marks from '../lib/widget/unread.js';

const NOON = new Date(2024, 0, 15, 12).getTime();
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

function message(
  key: string,
  sender: ConversationMessage['sender'],
  at: number | null,
  userId?: string,
): ConversationMessage {
  const timestamp = at === null ? null : new Date(at).toISOString();
  return {
    key,
    id: key,
    clientId: null,
    text: key,
    sender,
    timestamp,
    state: at === null ? 'pending' : 'delivered',
    error: null,
    message: userId === undefined ? null : { id: key, text: key, sender, timestamp: timestamp ?? '', userId },
  };
}

const rows = (...messages: ConversationMessage[]) => rowsOf(messages, clockOf('en', NOON));

test('each day has a name, and stands before what was said on it', () => {
  const shown = rows(
    message('old', 'user', NOON - 3 * DAY),
    message('yesterday', 'user', NOON - DAY),
    message('early', 'user', NOON - 11 * 60 * MINUTE),
    message('now', 'user', null),
  );
  expect(shown.map((row) => (row.kind === 'day' ? row.text : row.key))).toEqual([
    'Friday, January 12',
    'old',
    'Yesterday',
    'yesterday',
    'Today',
    'early',
    'now',
  ]);
});

test('what one of them says in one go is a group, with its time at the end', () => {
  const shown = rows(
    message('a', 'agent', NOON - 10 * MINUTE),
    message('b', 'agent', NOON - 9 * MINUTE),
    message('c', 'user', NOON - 8 * MINUTE),
    message('d', 'user', NOON - MINUTE),
    message('e', 'user', null),
  ).filter((row) => row.kind === 'message');
  expect(shown.map(({ isFirst, isLast }) => [isFirst, isLast])).toEqual([
    [true, false],
    [false, true],
    [true, true],
    [true, false],
    [false, true],
  ]);
  expect(shown.map(({ isLatestOwn }) => isLatestOwn).indexOf(true)).toBe(4);
  expect(shown.at(-1)?.time).toBe('');
});

test.each([
  ['no address', ['no address']],
  ['see https://a.example/x?y=1#z.', ['see ', '<https://a.example/x?y=1#z>', '.']],
  ['(https://a.example/b_(c))!', ['(', '<https://a.example/b_(c)>', ')!']],
  ['http://a.example,https://b.example', ['<http://a.example,https://b.example>']],
  ['javascript:alert(1) data:text/html,x', ['javascript:alert(1) data:text/html,x']],
  ['HTTPS://A.EXAMPLE "https://b.example"', ['<HTTPS://A.EXAMPLE>', ' "', '<https://b.example>', '"']],
  ['https:// https://[', ['https:// https://[']],
])('addresses in %j', (text, expected) => {
  const found = pieces(text);
  expect(found.map(({ text, href }) => (href ? `<${href}>` : text))).toEqual(expected);
  expect(found.map(({ text }) => text).join('')).toBe(text);
});

test('news is what others say, what is delivered of one\'s own, and what has failed', () => {
  const mine = message('mine', 'user', null);
  const delivered = { ...mine, state: 'delivered' as const };
  const failed = { ...mine, state: 'failed' as const };
  const theirs = message('theirs', 'agent', NOON);
  expect(newsBetween([mine], [mine, theirs])).toEqual({ said: [theirs], failed: [] });
  expect(newsBetween([mine, theirs], [theirs, delivered])).toEqual({ said: [delivered], failed: [] });
  expect(newsBetween([mine], [failed])).toEqual({ said: [], failed: [failed] });
  expect(newsBetween([theirs], [theirs])).toEqual({ said: [], failed: [] });
});

test('what was said before anybody had a mark is read; what comes later is not', () => {
  const first = [message('a', 'agent', NOON)];
  const mark = marks.settled(marks.NO_MARK, first);
  expect(mark.count).toBe(0);
  const later = [...first, message('b', 'agent', NOON + 1), message('c', 'user', NOON + 2)];
  expect(marks.settled(mark, later).count).toBe(1);
  expect(marks.settled(marks.settled(marks.NO_MARK, []), later).count).toBe(2);
});

test('reading takes all in, and is never undone', () => {
  const said = [message('a', 'agent', NOON), message('b', 'agent', NOON + 1)];
  const read = marks.readAll(marks.settled(marks.NO_MARK, []), said);
  expect(read.count).toBe(0);
  expect(marks.readAll(read, said.slice(0, 1)).read).toBe(NOON + 1);
});

test('marks of two tabs merge to the later one, either way and twice', () => {
  const said = [message('a', 'agent', NOON, 'ann'), message('b', 'agent', NOON + 1, 'ann')];
  const mine = marks.settled(marks.settled(marks.NO_MARK, []), said);
  const other = marks.readAll(mine, said);
  expect(mine.count).toBe(2);
  for (const [one, another] of [
    [mine, other],
    [other, mine],
    [marks.merged(mine, other), other],
  ] as const) {
    expect(marks.merged(one, another)).toMatchObject({ read: NOON + 1, count: 0 });
  }
  expect(marks.merged(mine, mine)).toBe(mine);
});

test('a mark is of whom the visitor\'s own messages name, whoever answers', () => {
  const said = [message('a', 'user', NOON, 'ann'), message('b', 'agent', NOON + 1, 'staff')];
  const mark = marks.settled(marks.settled(marks.NO_MARK, said.slice(0, 1)), said);
  expect(mark).toMatchObject({ user: 'ann', read: NOON, count: 1 });
});

test('the mark of another visitor says nothing', () => {
  const anns = marks.readAll(marks.NO_MARK, [message('a', 'agent', NOON + DAY, 'ann')]);
  const ann = { ...anns, user: 'ann' };
  const bobs = [message('b', 'user', NOON, 'bob')];
  expect(marks.settled(ann, bobs)).toMatchObject({ user: 'bob', read: NOON, count: 0 });
  const bob = marks.settled(marks.NO_MARK, bobs);
  expect(marks.merged(bob, ann)).toBe(bob);
});

test('who does not want to be reminded is reminded of later ones alone', () => {
  const said = [message('a', 'agent', NOON)];
  const mark = marks.settled(marks.settled(marks.NO_MARK, []), said);
  expect(marks.reminder(mark, said)?.key).toBe('a');
  const away = marks.dismissed(mark, said);
  expect(away.count).toBe(1);
  expect(marks.reminder(away, said)).toBeUndefined();
  const more = [...said, message('b', 'bot', NOON + 1)];
  expect(marks.reminder(away, more)?.key).toBe('b');
});

test('what a tab has kept is read for what it is', () => {
  const mark = { user: 'ann', read: 5, dismissed: 3, count: 1 };
  expect(marks.parseMark(JSON.stringify(mark))).toEqual(mark);
  for (const text of ['', 'null', '{', '[]', '{"read":"x","count":null}']) {
    expect(marks.parseMark(text)).toEqual(marks.NO_MARK);
    expect(parseKept(text)).toEqual({ isOpen: false, draft: '' });
  }
});

test('storage that is denied is as good as empty', () => {
  const denied = cell(() => {
    throw new Error('denied');
  }, 'key');
  denied.write('x');
  expect(denied.read()).toBe('');
});

const snapshot = (change: Partial<ConversationSnapshot>): ConversationSnapshot => ({
  messages: [],
  isLoading: false,
  error: null,
  isConnected: false,
  ...change,
});
const CALM = { wasLive: false, isLasting: false, isOnline: true, isBlocked: false };
const NETWORK = new ChatError('NETWORK_ERROR', 'away');

test('a difficulty is worth a word once it has lasted', () => {
  expect(noticeOf(snapshot({}), CALM)).toMatchObject({ status: 'connecting', reason: null });
  const lost = { ...CALM, wasLive: true };
  const away = snapshot({ error: NETWORK });
  expect(noticeOf(away, lost)).toMatchObject({ status: 'online', reason: null });
  expect(noticeOf(away, { ...lost, isLasting: true })).toMatchObject({
    status: 'reconnecting',
    reason: 'lost',
  });
  expect(noticeOf(away, { ...lost, isLasting: true, isOnline: false }).reason).toBe('offline');
  expect(noticeOf(snapshot({ isConnected: true }), lost)).toMatchObject({ status: 'online', reason: null });
});

test('a refusal is told at once, and why', () => {
  const refused = (code: string) => noticeOf(snapshot({ error: new ChatError(code, 'no') }), CALM);
  expect(refused('ORIGIN_NOT_ALLOWED')).toEqual({
    standing: 'failed',
    status: 'unavailable',
    reason: 'refused',
  });
  expect(refused('CREDENTIAL_REQUIRED').reason).toBe('refused');
  expect(refused('TOKEN_EXPIRED').reason).toBe('signIn');
  expect(refused('WASM_UNAVAILABLE').reason).toBe('blocked');
  expect(refused('TIMEOUT').standing).toBe('connecting');
});

test("a page's policy that blocks the server is told as such", () => {
  const blocked = { ...CALM, isBlocked: true, isLasting: true };
  expect(noticeOf(snapshot({ error: NETWORK }), blocked).reason).toBe('blocked');
  expect(noticeOf(snapshot({ isConnected: true }), blocked).reason).toBeNull();
});

test('a message that fails says what the visitor can do', () => {
  expect(failureOf('TEXT_TOO_LONG')).toBe('tooLong');
  expect(failureOf('RATE_LIMITED')).toBe('tooMany');
  expect(failureOf('TIMEOUT')).toBe('notSent');
});
