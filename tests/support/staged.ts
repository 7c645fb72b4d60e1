/** What all tests of a file share, and what takes a while to be there: browsers, servers, sites. */
import { afterAll, beforeAll } from 'vitest';

/**
 * Makes each part before the tests of the file that calls it, all of them at once, and disposes of them after the tests, in the
 * order in which they are named here. Until then the parts are not there to be read.
 */
export function staged<T extends object>(makers: { readonly [N in keyof T]: () => Promise<T[N]> }): Readonly<T> {
  const stage: Partial<T> = {};
  const names = Object.keys(makers) as (keyof T)[];
  const make = async (name: keyof T) => {
    stage[name] = await makers[name]();
  };
  beforeAll(async () => {
    await Promise.all(names.map(make));
  });
  afterAll(async () => {
    for (const name of names) {
      await (stage[name] as Partial<AsyncDisposable> | undefined)?.[Symbol.asyncDispose]?.();
    }
  });
  return stage as T;
}
