/** What the desk decides, as values: where the cursor goes, how far a list has moved, whom a look shows. */
import { expect, test } from 'vitest';
import { followed, inherited, type Kept, kept, type Part, placed, target } from '../../examples/admin-react/src/visitors/cursor.ts';
import { drift } from '../../examples/admin-react/src/visitors/drift.ts';
import {
  AT_FIRST,
  isNarrowed,
  pagesOf,
  queryOf,
  sortedBy,
  widened,
} from '../../examples/admin-react/src/visitors/look.ts';

const part = (names: string, offset = 0): Part => ({
  offset,
  users: [...names].map((userId) => ({ userId, connectedAt: '2024-01-15T10:30:00.000Z' })),
});

test('keys lead through the whole list and not out of it', () => {
  const list = { total: 10, page: 4 };
  const from = (index: number, key: string) => target(key, { index, userId: null }, list);
  expect(target('ArrowDown', null, list)).toBe(0);
  expect(target('ArrowUp', null, list)).toBe(0);
  expect([from(0, 'ArrowUp'), from(9, 'ArrowDown'), from(8, 'PageDown'), from(2, 'PageUp')]).toEqual([0, 9, 9, 0]);
  expect([from(3, 'Home'), from(3, 'End'), from(3, 'PageDown')]).toEqual([0, 9, 7]);
  expect(from(3, 'x')).toBeUndefined();
  expect(target('End', null, { total: 0, page: 4 })).toBeUndefined();
});

test('the cursor goes with its user, and a place that is not loaded becomes whoever is there', () => {
  const at = placed(12, part('abc', 10));
  expect(at).toEqual({ index: 12, userId: 'c' });
  expect(followed(at, part('xxxabc', 8))).toEqual({ index: 13, userId: 'c' });
  expect(followed(at, part('xyz', 10))).toBe(at);
  const unknown = placed(40, part('abc', 10));
  expect(unknown).toEqual({ index: 40, userId: null });
  expect(followed(unknown, part('abc', 10))).toBe(unknown);
  expect(followed(unknown, part('pqr', 39))).toEqual({ index: 40, userId: 'q' });
});

test('whoever is next has the cursor when its user is gone, or whoever was before', () => {
  const [before, at] = [part('abcde', 10), placed(12, part('abcde', 10))];
  const inheritor = (names: string, offset: number, total: number) =>
    inherited(at, before, { ...part(names, offset), total });
  expect(inheritor('abde', 10, 40)).toEqual({ index: 12, userId: 'd' });
  expect(inheritor('abe', 10, 40)).toEqual({ index: 12, userId: 'e' });
  expect(inheritor('XYabde', 8, 40)).toEqual({ index: 12, userId: 'd' });
  // At the end of the list there is nobody next, at its beginning nobody before.
  expect(inheritor('ab', 10, 12)).toEqual({ index: 11, userId: 'b' });
  expect(inheritor('de', 0, 40)).toEqual({ index: 0, userId: 'd' });
  expect(inheritor('', 0, 0)).toBeNull();
  // Who is there, or may be where nothing is loaded, keeps it.
  expect(inheritor('abcde', 10, 40)).toBe(at);
  expect(inheritor('de', 10, 40)).toBe(at);
  expect(inheritor('ab', 10, 40)).toBe(at);
  expect(inheritor('XYZ', 30, 40)).toBe(at);
});

test('in the rows of another query nobody has left', () => {
  const [abc, ac] = [{ ...part('abc'), total: 3 }, { ...part('ac'), total: 2 }];
  const [query, other] = [{ search: '' }, { search: 'c' }];
  const at = { index: 1, userId: 'b' };
  const first: Kept = { cursor: at, part: abc, query, isAnother: false };
  expect(kept(first, abc, query)).toBe(first);
  expect(kept(first, ac, query).cursor).toEqual({ index: 1, userId: 'c' });
  // The rows come later than the question.
  const asked = kept(first, abc, other);
  expect(kept(asked, ac, other).cursor).toBe(at);
  expect(kept(kept(asked, ac, other), abc, query).cursor).toBe(at);
});

test('a list has moved as far as the neighbours have', () => {
  const before = part('abcdefghij');
  expect(drift(before, before, 4)).toBe(0);
  expect(drift(before, part('XYabcdefghij'), 4)).toBe(2);
  expect(drift(before, part('bcdefghij'), 4)).toBe(-1);
  // Behind the place nothing matters, and one who is sorted to elsewhere takes nobody along.
  expect(drift(before, part('abcdefghXYij'), 2)).toBe(0);
  expect(drift(before, part('eabcdfghij'), 4)).toBe(0);
  expect(drift(before, part('NOPQRS', 500), 4)).toBe(0);
});

test('whatever comes and goes above, the list moves by just so much', () => {
  for (let gone = 0; gone <= 3; gone++) {
    for (let come = 0; come <= 5; come++) {
      const before = part('abcdefghijklmnop');
      const after = part('0123456789'.slice(0, come) + 'abcdefghijklmnop'.slice(gone));
      expect(drift(before, after, 8)).toBe(come - gone);
    }
  }
});

test('a click sorts as the column is read, another one the other way round', () => {
  // The shortest time on the site is that of the latest moment.
  expect(queryOf(AT_FIRST).sort).toEqual({ field: 'startedAt', direction: 'desc' });
  const longest = sortedBy(AT_FIRST, 'stay');
  expect(longest.sort).toEqual({ column: 'stay', direction: 'descending' });
  expect(queryOf(longest).sort).toEqual({ field: 'startedAt', direction: 'asc' });
  const tabs = sortedBy(longest, 'tabs');
  expect(queryOf(tabs).sort).toEqual({ field: 'tabs', direction: 'desc' });
  expect(queryOf(sortedBy(tabs, 'tabs')).sort).toEqual({ field: 'tabs', direction: 'asc' });
});

test('pages are counted among those who would be there with any page', () => {
  const look = { ...AT_FIRST, page: 'https://shop.example/cart', activity: 'idle', search: 'a' } as const;
  expect(queryOf(look).filter).toMatchObject({ url: look.page, idle: true });
  expect(pagesOf(look)).toMatchObject({ search: 'a', group: 'url', filter: { url: '', idle: true } });
});

test('everybody again keeps the order', () => {
  const look = sortedBy({ ...AT_FIRST, acquaintance: 'new' }, 'visitor');
  expect([isNarrowed(AT_FIRST), isNarrowed(look), isNarrowed(widened(look))]).toEqual([false, true, false]);
  expect(widened(look).sort).toBe(look.sort);
});
