/** Many values of one thing: their median, and how far they lie apart. */

export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** `undefined` of nothing. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const [least, most] = [sorted[0], sorted.at(-1)];
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (least === undefined || most === undefined || low === undefined || high === undefined) {
    return undefined;
  }
  return { least, median: (low + high) / 2, most };
}
