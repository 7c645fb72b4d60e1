// @vitest-environment node
/** The binary as text: what goes in comes out, in characters that nothing on the way has to touch. */
import { expect, test } from 'vitest';
import { inline } from '../scripts/inline.mjs';

/** Runs the generated module without its bindings. */
async function unpack(source) {
  const alone = source.replace(/^export \{[^}]*\} from .*$/m, '');
  const module = await import(
    /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(alone)}`
  );
  return module.wasmBytes();
}

/** Bytes of every value, some of them far more often than others, always the same. */
function sample(length, bits) {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) & ((1 << bits) - 1);
  });
}

test.each([
  ['nothing', new Uint8Array()],
  ['each value once', Uint8Array.from({ length: 256 }, (_, byte) => byte)],
  ['values in even measure', sample(4096, 8)],
  ['few values', sample(4096, 3)],
])('%s survives', async (_, bytes) => {
  const source = inline(bytes);
  expect(await unpack(source)).toEqual(bytes);
  expect(source).toMatch(/^[\n\x20-\x7e]*$/);
  const text = /TEXT = "(.*)"/.exec(source)?.[1] ?? '';
  expect(text).not.toMatch(/["'`\\$<]/);
});
