/** What has been read on a screen. */
import { expect, test } from 'vitest';
import { isUnread, NOTHING_READ, read } from '../lib/components/unread.js';
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
  expect(read(NOTHING_READ, [], 'a')).toBe(NOTHING_READ);
});
