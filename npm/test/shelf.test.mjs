// @vitest-environment node
/** The rows in JavaScript: what the core's roster relies on, and what readers see. */
import { expect, test, vi } from 'vitest';
import {
  clear,
  put,
  putAll,
  remove,
  removeAll,
  renew,
  rowsOf,
  shelf as empty,
  squeeze,
} from '../../client-wasm/js/shelf.js';

/** What is said of a slot whose row has become another one, and of one where it is the same. */
const other = (slot) => 2 * slot + 1;
const same = (slot) => 2 * slot;
const NOWHERE = 0xffffffff;

const row = (userId, rest = {}) => ({ userId, connectedAt: '2024-01-15T10:30:00.000Z', ...rest });
const names = (shelf) => shelf.users().map(({ userId }) => userId);

/** A shelf with these users. */
function holding(...ids) {
  const shelf = empty();
  for (const id of ids) put(shelf, row(id));
  return shelf;
}

test('a user has one slot, whatever their row is, and newcomers have the next', () => {
  const shelf = holding('ann', 'bob');
  expect(put(shelf, row('bob'))).toBe(same(1));
  expect(put(shelf, row('bob', { domain: 'b.example' }))).toBe(other(1));
  expect(put(shelf, row('cid'))).toBe(other(2));
  expect(names(shelf)).toEqual(['ann', 'bob', 'cid']);
});

test.each([[undefined], [null], [7], [{}], [{ userId: 7 }], [{ userId: '' }], [''], ['ann'], [[]]])(
  '%j is nobody\'s row',
  (payload) => {
    const shelf = empty();
    expect(put(shelf, payload)).toBe(-1);
    const placed = Uint32Array.of(NOWHERE, NOWHERE);
    expect(putAll(shelf, [payload, row('bob')], new Uint32Array(), placed)).toBe(1);
    expect([...placed]).toEqual([NOWHERE, 0]);
    expect(rowsOf([payload, row('bob')]).at(-1)).toEqual(row('bob'));
    expect(shelf.ids).toEqual(['bob']);
  },
);

test.each([[undefined], [null], [7], [{}], [{ userId: 7 }], [{ userId: '' }], ['']])(
  '%j names nobody who could leave',
  (payload) => {
    const shelf = holding('ann');
    expect([remove(shelf, payload, 0), remove(shelf, payload, 1)]).toEqual([-1, -1]);
    expect(shelf.ids).toEqual(['ann']);
  },
);

test('a row makes a difference unless it says the same', () => {
  const shelf = empty();
  const plan = { name: 'gold', seats: [1, 2] };
  const said = [
    [{}, other],
    [{}, same],
    [{ plan }, other],
    [{ plan: structuredClone(plan) }, same],
    [{ plan: { name: 'tin' } }, other],
    [{ plan: null }, other],
    [{ plan: 'none' }, other],
    [{}, other],
    [{ more: 1 }, other],
  ];
  for (const [rest, verdict] of said) expect(put(shelf, row('ann', rest))).toBe(verdict(0));
});

test('the array is the same until rows change, and who has seen it is told once', () => {
  const shelf = holding('ann', 'bob');
  shelf.onchange = vi.fn();
  const seen = shelf.users();
  expect(shelf.users()).toBe(seen);
  put(shelf, row('ann'));
  expect(shelf.users()).toBe(seen);
  put(shelf, row('ann', { domain: 'a.example' }));
  put(shelf, row('bob', { domain: 'b.example' }));
  expect(shelf.onchange).toHaveBeenCalledTimes(1);
  expect(shelf.users()).not.toBe(seen);
  expect(seen).toEqual([row('ann'), row('bob')]);
});

test('a list is put but for whom it is to spare', () => {
  const shelf = holding('ann', 'eve');
  const list = [row('bob'), row('ann', { domain: 'new' }), row('eve'), row('bob', { domain: 'last' })];
  const placed = new Uint32Array(4).fill(NOWHERE);
  expect(putAll(shelf, list, Uint32Array.of(0), placed)).toBe(2);
  expect([...placed]).toEqual([2, NOWHERE, 1, 2]);
  expect(shelf.users()).toEqual([row('ann'), row('eve'), list[3]]);
});

test('whoever leaves makes room, or keeps an empty slot until they have another', () => {
  const shelf = holding('ann', 'bob', 'cid');
  shelf.dirty = [];
  expect(remove(shelf, { userId: 'ann' }, 1)).toBe(0);
  expect([names(shelf), shelf.size]).toEqual([['bob', 'cid'], 2]);
  expect(put(shelf, row('ann'))).toBe(other(0));
  expect(renew(shelf, 0)).toBe(3);
  expect(remove(shelf, 'bob', 0)).toBe(1);
  expect(remove(shelf, 'bob', 0)).toBe(-1);
  expect([names(shelf), shelf.size]).toEqual([['cid', 'ann'], 2]);
  expect(shelf.dirty).toEqual([0, 0, 0, 3, 1]);

  const { generation } = shelf;
  squeeze(shelf);
  expect(shelf.generation).not.toBe(generation);
  expect([shelf.ids, shelf.rows.length]).toEqual([['cid', 'ann'], 2]);
  expect([...shelf.slots]).toEqual(expect.arrayContaining([['cid', 0], ['ann', 1]]));
  expect([shelf.slots.size, put(shelf, row('dan')), put(shelf, row('ann'))]).toEqual([2, other(2), same(1)]);
  expect(names(shelf)).toEqual(['cid', 'ann', 'dan']);
});

test('several leave at once, and those who are not there are given a slot only to be remembered by', () => {
  const shelf = holding('ann', 'bob', 'cid');
  const placed = new Uint32Array(4);
  removeAll(shelf, ['bob', 'dan', 7, 'bob'], placed, 0);
  expect([...placed]).toEqual([1, NOWHERE, NOWHERE, NOWHERE]);
  removeAll(shelf, ['ann', 'dan', 'dan', ''], placed, 1);
  expect([...placed]).toEqual([0, 3, 3, NOWHERE]);
  expect([names(shelf), shelf.ids]).toEqual([['cid'], ['ann', undefined, 'cid', 'dan']]);
});

test('a slot that is cleared is nobody\'s, whether there was a row or not', () => {
  const shelf = holding('ann', 'bob');
  remove(shelf, 'ann', 1);
  clear(shelf, 0);
  clear(shelf, 1);
  expect([shelf.size, shelf.slots.size, shelf.ids]).toEqual([0, 0, [undefined, undefined]]);
});

test('who follows the slots is told of the first change, and again when they have taken them', () => {
  const shelf = holding('ann', 'bob');
  shelf.onchange = vi.fn();
  put(shelf, row('ann', { domain: 'untold' }));
  expect(shelf.onchange).not.toHaveBeenCalled();
  shelf.dirty = [];
  put(shelf, row('ann'));
  clear(shelf, 1);
  expect(shelf.dirty).toEqual([0, 1]);
  expect(shelf.onchange).toHaveBeenCalledTimes(1);
  shelf.dirty = [];
  put(shelf, row('ann', { domain: 'told' }));
  expect(shelf.onchange).toHaveBeenCalledTimes(2);
});
