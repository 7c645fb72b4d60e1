/** Nobody always goes first. */

/** The same list, beginning at another place each round. */
export function turns<T>(list: readonly T[], round: number): T[] {
  const first = round % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
}
