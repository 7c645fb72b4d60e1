/** What has been read in a browser. */
import { expect, test } from 'vitest';
import { isUnread, NOTHING_READ, read, together, understood, written } from '../lib/components/unread.js';
import { summary } from './summaries.js';

test('what was there at first has been read, and what is said later has not until it is selected', () => {
  const first = read(NOTHING_READ, [summary('b', 2), summary('a', 1)], null);
  expect([summary('b', 2), summary('a', 1)].some((one) => isUnread(first, one))).toBe(false);
  const later = [summary('a', 3), summary('b', 2)];
  const marks = read(first, later, null);
  expect(later.map((one) => isUnread(marks, one))).toEqual([true, false]);
  const opened = read(marks, later, 'a');
  expect(isUnread(opened, summary('a', 3))).toBe(false);
  expect(isUnread(opened, summary('a', 4))).toBe(true);
});

test('what is said while it is selected has been read', () => {
  const marks = read(read(NOTHING_READ, [summary('a', 1)], 'a'), [summary('a', 5)], 'a');
  expect(isUnread(marks, summary('a', 5))).toBe(false);
});

test('older conversations that are loaded later are no news', () => {
  const marks = read(NOTHING_READ, [summary('b', 9)], null);
  expect(isUnread(marks, summary('a', 3))).toBe(false);
});

test('what staff have said needs no reading', () => {
  const marks = read(NOTHING_READ, [summary('a', 1)], null);
  const said = summary('b', 2);
  expect(isUnread(marks, { ...said, lastMessage: { ...said.lastMessage, sender: 'agent' } })).toBe(false);
});

test('the same again changes nothing', () => {
  const once = read(NOTHING_READ, [summary('a', 1)], 'a');
  expect(read(once, [summary('a', 1)], 'a')).toBe(once);
  expect(read(NOTHING_READ, null, 'a')).toBe(NOTHING_READ);
  expect(together(once, once)).toBe(once);
});

test('where nothing had been said, the first word is news', () => {
  const marks = read(read(NOTHING_READ, [], null), [summary('a', 1)], null);
  expect(isUnread(marks, summary('a', 1))).toBe(true);
});

test('it is the same after it was kept, and goes on from there', () => {
  const marks = read(read(NOTHING_READ, [summary('b', 2)], null), [summary('a', 3), summary('b', 2)], 'a');
  expect(understood(written(marks))).toEqual(marks);
  const later = read(understood(written(marks)), [summary('b', 5), summary('a', 3)], null);
  expect([summary('b', 5), summary('a', 3)].map((one) => isUnread(later, one))).toEqual([true, false]);
});

test('what was read in either of two tabs has been read, up to the later time', () => {
  const first = read(NOTHING_READ, [summary('a', 1)], null);
  const [here, there] = [read(first, [summary('a', 5)], 'a'), read(first, [summary('b', 4)], 'b')];
  const both = together(together(here, there), read(first, [summary('a', 3)], 'a'));
  for (const said of [summary('a', 5), summary('b', 4)]) expect(isUnread(both, said)).toBe(false);
  expect(isUnread(both, summary('a', 6))).toBe(true);
});

test('so many are kept, and what is older than they has been read', () => {
  let marks = read(NOTHING_READ, [], null);
  for (let at = 0; at < 600; at++) marks = read(marks, [summary(`c${at}`, at)], `c${at}`);
  const again = understood(written(marks));
  expect(again.upTo.size).toBe(500);
  for (const at of [0, 99, 100, 599]) expect(isUnread(again, summary(`c${at}`, at))).toBe(false);
});

test.each([null, '', 'null', '[]', '{"since":1,"upTo":[]}', '{"since":"","upTo":{}}'])('%s is no mark', (text) => {
  expect(understood(text)).toBe(NOTHING_READ);
});

test('what is no mark among others is left out', () => {
  expect(understood('{"since":"","upTo":[["a"],["b","2024"],null]}').upTo).toEqual(new Map([['b', '2024']]));
});
