/**
 * How far the rows around a place have moved, so that the list can be scrolled after them and stays under the pointer. Pure.
 *
 * It is the middle of what the neighbours did: one who is sorted to elsewhere takes nobody along.
 */
import type { Part } from './cursor';

const NEIGHBOURS = 3;

export function drift(before: Part, after: Part, anchor: number): number {
  const places = new Map(after.users.map(({ userId }, at) => [userId, after.offset + at]));
  const moves: number[] = [];
  for (let index = anchor - NEIGHBOURS; index <= anchor + NEIGHBOURS; index++) {
    const place = places.get(before.users[index - before.offset]?.userId ?? '');
    if (place !== undefined) {
      moves.push(place - index);
    }
  }
  moves.sort((one, other) => one - other);
  return moves[Math.floor(moves.length / 2)] ?? 0;
}
