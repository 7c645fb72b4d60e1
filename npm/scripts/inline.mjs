/**
 * The binary as text in JavaScript.
 *
 * How it is written down was measured on a 38,847 byte module (brotli 16,959; then gzip -9):
 *
 *   base64                              21,671   23,990
 *   deflate + base64                    19,462   19,562
 *   latin-1 string, ASCII escapes       19,704   23,452
 *   latin-1 string, UTF-8               17,912   21,077
 *   hexadecimal                         17,922   21,076
 *   one character for a frequent byte,
 *   two for a rare one (chosen)         17,334   19,723
 *
 * Base64 hides the bytes from the transport's compression and deflating first keeps it from doing
 * better than deflate. Keeping byte borders lets brotli see the module as it is. Only printable
 * ASCII without quotes, backslash, `$` and `<` is used: no minifier has anything to escape or to
 * turn into UTF-8, the page's charset does not matter, and it may stand in an inline script.
 * Unpacking is one synchronous loop: 2 to 6 ms in a fresh page on a busy machine, 0.3 ms once warm.
 */

// The two that open a pair come first. Braces measured best: 131 bytes less than the first two of
// the rest.
const OPENERS = '{}';
const ESCAPES = OPENERS.length;
// Brotli foretells a character by the kinds of those before it: letters, digits, a few sorts of marks. So what comes in the same
// places is of a kind: what reads or writes a local, every sixth byte, and the smallest numbers. Together 90 to 130 bytes less than in
// order of value with the rest.
const OWN = new Map([
  [0x20, ','],
  [0x21, ':'],
  [0x22, ';'],
  ...Array.from('0123456789', (digit, value) => [value, digit]),
]);
const OTHERS = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).filter(
  (character) => ![OPENERS, '"\'`\\$<', ...OWN.values()].join('').includes(character),
);

/** The source of `chat-core`; `id` is what its build is known by, `exported` what the bindings have of it. */
export function inline(wasm, id, exported) {
  return `export { ${exported}, initSync } from 'chat-core-bindings';
export const coreId = ${JSON.stringify(id)};
${inlineBytes(wasm)}`;
}

/** The source of a module whose `wasmBytes` returns the binary. */
export function inlineBytes(wasm) {
  const count = new Array(256).fill(0);
  for (const byte of wasm) {
    count[byte] += 1;
  }
  for (const byte of OWN.keys()) {
    count[byte] = Infinity;
  }
  const singles = OTHERS.length + OWN.size;
  const frequent = new Set(
    [...count.keys()].sort((a, b) => count[b] - count[a] || a - b).slice(0, singles),
  );
  // In order of value within each kind, which compresses better than by rank.
  const short = [...count.keys()].filter((byte) => frequent.has(byte));
  const long = [...count.keys()].filter((byte) => !frequent.has(byte));
  const others = OTHERS.values();
  const alphabet = [
    ...OPENERS,
    ...short.map((byte) => OWN.get(byte) ?? others.next().value),
  ].join('');
  const code = new Array(256);
  short.forEach((byte, index) => {
    code[byte] = alphabet[ESCAPES + index];
  });
  long.forEach((byte, index) => {
    code[byte] = alphabet[Math.floor(index / singles)] + alphabet[ESCAPES + (index % singles)];
  });
  const kinds = Array.from({ length: 64 }, (_, nibble) =>
    [0, 1, 2, 3]
      .reduce((bits, bit) => bits | (frequent.has(nibble * 4 + bit) ? 1 << bit : 0), 0)
      .toString(16),
  ).join('');
  const text = Array.from(wasm, (byte) => code[byte]).join('');
  return `const ALPHABET = ${JSON.stringify(alphabet)};
// One bit for each byte value: whether it is written as a single character.
const KINDS = '${kinds}';
const TEXT = "${text}";
export function wasmBytes() {
  const kinds = [[], []];
  for (let byte = 0; byte < 256; byte++) {
    kinds[(parseInt(KINDS[byte >> 2], 16) >> (byte & 3)) & 1].push(byte);
  }
  const [long, short] = kinds;
  const values = new Uint8Array(127);
  for (let index = 0; index < ALPHABET.length; index++) values[ALPHABET.charCodeAt(index)] = index;
  const bytes = new Uint8Array(${wasm.length});
  for (let index = 0, at = 0; index < bytes.length; index++) {
    const value = values[TEXT.charCodeAt(at++)];
    bytes[index] =
      value < ${ESCAPES}
        ? long[value * ${singles} + values[TEXT.charCodeAt(at++)] - ${ESCAPES}]
        : short[value - ${ESCAPES}];
  }
  return bytes;
}
`;
}
