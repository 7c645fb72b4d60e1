/** Waiting for what a test expects, instead of for an amount of time. */

const PAUSE_MS = 10;
/** After which something that has not come is taken for lost; generous, because slow machines are not wrong. */
const LOST_MS = 15_000;

/**
 * Resolves with the first value of `probe` that is neither `undefined`, `null` nor `false`. An error of the probe counts as
 * "not yet"; the last one is told when nothing ever comes. `what` completes "waited for …".
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
): Promise<Exclude<T, undefined | null | false>> {
  const lost = Date.now() + LOST_MS;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) {
        return value as Exclude<T, undefined | null | false>;
      }
      last = value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > lost) {
      throw new Error(`waited in vain for ${what}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
