// @vitest-environment node
/** The rows in JavaScript: what the core's roster relies on, and what readers see. */
import { expect, test, vi } from 'vitest';
import {
  clear,
  fill,
  find,
  place,
  placeAll,
  put,
  renew,
  shelf as empty,
  squeeze,
} from '../../client-wasm/js/shelf.js';

const row = (userId, rest = {}) => ({ userId, connectedAt: '2024-01-15T10:30:00.000Z', ...rest });
const names = (shelf) => shelf.users().map(({ userId }) => userId);

/** A shelf with these users. */
function holding(...ids) {
  const shelf = empty();
  for (const id of ids) put(shelf, place(shelf, id), row(id));
  return shelf;
}

test('a user has one slot, however they are named', () => {
  const shelf = holding('ann', 'bob');
  expect([place(shelf, 'bob'), place(shelf, row('bob')), find(shelf, { userId: 'bob' })]).toEqual([
    1, 1, 1,
  ]);
  expect(find(shelf, 'cid')).toBe(-1);
  expect([place(shelf, 'cid'), find(shelf, 'cid')]).toEqual([2, 2]);
  expect(names(shelf)).toEqual(['ann', 'bob']);
});

test.each([[undefined], [null], [7], [{}], [{ userId: 7 }], [{ userId: '' }], ['']])(
  '%j names nobody',
  (payload) => {
    const shelf = empty();
    expect([place(shelf, payload), find(shelf, payload)]).toEqual([-1, -1]);
    expect(shelf.ids).toEqual([]);
  },
);

test('a row makes a difference unless it says the same', () => {
  const shelf = holding('ann');
  const plan = { name: 'gold', seats: [1, 2] };
  expect(put(shelf, 0, row('ann'))).toBe(false);
  expect(put(shelf, 0, row('ann', { plan }))).toBe(true);
  expect(put(shelf, 0, row('ann', { plan: structuredClone(plan) }))).toBe(false);
  expect(put(shelf, 0, row('ann', { plan: { name: 'tin' } }))).toBe(true);
  expect(put(shelf, 0, row('ann', { plan: null }))).toBe(true);
  expect(put(shelf, 0, row('ann', { plan: 'none' }))).toBe(true);
  expect(put(shelf, 0, row('ann'))).toBe(true);
  expect(put(shelf, 0, row('ann', { more: 1 }))).toBe(true);
});

test('the array is the same until rows change, and who has seen it is told once', () => {
  const shelf = holding('ann', 'bob');
  shelf.onchange = vi.fn();
  const seen = shelf.users();
  expect(shelf.users()).toBe(seen);
  put(shelf, 0, row('ann'));
  expect(shelf.users()).toBe(seen);
  put(shelf, 0, row('ann', { domain: 'a.example' }));
  put(shelf, 1, row('bob', { domain: 'b.example' }));
  expect(shelf.onchange).toHaveBeenCalledTimes(1);
  expect(shelf.users()).not.toBe(seen);
  expect(seen).toEqual([row('ann'), row('bob')]);
});

test('a list is placed and filled but for what is left out', () => {
  const shelf = holding('ann');
  const list = [row('bob'), row('ann', { domain: 'new' }), row('bob', { domain: 'last' })];
  const placed = new Uint32Array(3);
  placeAll(shelf, list, placed, 1);
  expect([...placed]).toEqual([1, 0, 1]);
  placed[1] = 0xffffffff;
  expect(fill(shelf, list, placed)).toBe(2);
  expect(shelf.users()).toEqual([row('ann'), list[2]]);
});

test('whoever leaves makes room, or keeps an empty slot until they have another', () => {
  const shelf = holding('ann', 'bob', 'cid');
  shelf.dirty = [];
  clear(shelf, 0, 1);
  expect([names(shelf), shelf.size, find(shelf, 'ann')]).toEqual([['bob', 'cid'], 2, 0]);
  expect(renew(shelf, 0)).toBe(3);
  put(shelf, 3, row('ann'));
  clear(shelf, 1, 0);
  expect([names(shelf), shelf.size, find(shelf, 'bob')]).toEqual([['cid', 'ann'], 2, -1]);
  expect(shelf.dirty).toEqual([0, 3, 1]);

  const { generation } = shelf;
  squeeze(shelf);
  expect(shelf.generation).not.toBe(generation);
  expect([find(shelf, 'cid'), find(shelf, 'ann'), place(shelf, 'dan')]).toEqual([0, 1, 2]);
  expect(names(shelf)).toEqual(['cid', 'ann']);
});

test('who follows the slots is told of the first change, and again when they have taken them', () => {
  const shelf = holding('ann', 'bob');
  shelf.onchange = vi.fn();
  put(shelf, 0, row('ann', { domain: 'untold' }));
  expect(shelf.onchange).not.toHaveBeenCalled();
  shelf.dirty = [];
  put(shelf, 0, row('ann'));
  clear(shelf, 1);
  expect(shelf.dirty).toEqual([0, 1]);
  expect(shelf.onchange).toHaveBeenCalledTimes(1);
  shelf.dirty = [];
  put(shelf, 0, row('ann', { domain: 'told' }));
  expect(shelf.onchange).toHaveBeenCalledTimes(2);
});
