/**
 * Makes the module `chat-core` out of what wasm-bindgen wrote to `lib/wasm`: the bindings, and the
 * binary as text inside the JavaScript.
 *
 * Inlined, because that alone works everywhere the package goes (Vite, webpack, Next, esbuild, Node,
 * a plain script tag): a separate file needs a loader, a MIME type or a flag in half of them.
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
 * Unpacking is a synchronous loop of well under a millisecond; nothing newer than typed arrays.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bindings = join(root, 'lib/wasm/chat_client_wasm.js');
const binary = join(root, 'lib/wasm/chat_client_wasm_bg.wasm');

// The features that rustc enables for wasm32-unknown-unknown, no more: every browser that is still
// supported has them.
const FEATURES = [
  'bulk-memory',
  'bulk-memory-opt',
  'multivalue',
  'mutable-globals',
  'nontrapping-float-to-int',
  'reference-types',
  'sign-ext',
].map((name) => `--enable-${name}`);

/** An esbuild plugin that resolves `chat-core`; `facts` holds the sizes for the build's report. */
export function corePlugin() {
  if (!existsSync(bindings) || !existsSync(binary)) {
    throw new Error('lib/wasm is missing: run `cargo xtask build`, which builds the core first');
  }
  const { wasm, names } = optimize();
  const module = inline(wasm);
  const glue = shorten(trim(readFileSync(bindings, 'utf8')), names);
  return {
    facts: { wasm, text: module.length, glue: glue.length },
    plugin: {
      name: 'chat-core',
      setup(build) {
        build.onResolve({ filter: /^chat-core$/ }, () => ({ path: 'core', namespace: 'chat-core' }));
        build.onResolve({ filter: /^chat-core-bindings$/ }, () => ({
          path: 'bindings',
          namespace: 'chat-core',
        }));
        build.onLoad({ filter: /./, namespace: 'chat-core' }, ({ path }) => ({
          contents: path === 'core' ? module : glue,
          loader: 'js',
          resolveDir: join(root, 'lib/wasm'),
        }));
      },
    },
  };
}

function optimize() {
  const directory = mkdtempSync(join(tmpdir(), 'chat-widget-'));
  try {
    const small = join(directory, 'small.wasm');
    const output = join(directory, 'core.wasm');
    wasmOpt(
      [binary, '-o', small],
      ['-Oz', '--converge', '--strip-debug', '--strip-producers', '--strip-target-features'],
    );
    // The names between binary and bindings carry hashes, which do not compress.
    const names = wasmOpt([small, '-o', output], ['--minify-imports-and-exports-and-modules']);
    return { wasm: readFileSync(output), names: JSON.parse(names) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function wasmOpt(files, options) {
  const program = join(root, 'node_modules/binaryen/bin/wasm-opt');
  return execFileSync(process.execPath, [program, ...options, ...FEATURES, ...files], {
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
}

/**
 * Leaves out what the bindings bring along for programs that are not this one: old engines, other
 * ways to start, `using`. Each cut must fit exactly once, so that another version of wasm-bindgen
 * fails the build instead of slipping through.
 */
function trim(source) {
  const cut = (text, pattern, replacement = '') => {
    only(text, pattern, String(pattern));
    return text.replace(pattern, () => replacement);
  };
  let glue = source
    .replaceAll(/^if \(Symbol\.dispose\) .*$/gm, '')
    .replaceAll(', wasm.__wbindgen_realloc)', ')')
    // As old as private fields, which the package needs anyway.
    .replaceAll(
      /\(typeof FinalizationRegistry === 'undefined'\)\n.*\n\s*: (?=new FinalizationRegistry)/g,
      '',
    );
  glue = cut(
    glue,
    /^function passStringToWasm0\([^]*?^\}$/m,
    `function passStringToWasm0(arg, malloc) {
    const bytes = cachedTextEncoder.encode(arg);
    const ptr = malloc(bytes.length, 1) >>> 0;
    getUint8ArrayMemory0().set(bytes, ptr);
    WASM_VECTOR_LEN = bytes.length;
    return ptr;
}`,
  );
  glue = cut(glue, /^if \(!\('encodeInto' in cachedTextEncoder\)\) \{[^]*?^\}$/m);
  return cut(
    glue,
    /^function initSync\([^]*?^\}$/m,
    `function initSync({ module }) {
    return __wbg_finalize_init(new WebAssembly.Instance(module, __wbg_get_imports()), module);
}`,
  );
}

/**
 * Gives the bindings the names that the optimizer gave the binary: one module `a`, and a letter for
 * each import and export. Fails rather than leave a name that does not fit.
 */
function shorten(source, { imports, exports }) {
  let glue = source;
  const entries = [];
  const modules = new Map();
  for (const [module, name, short] of imports) {
    modules.set(module, [...(modules.get(module) ?? []), [name, short]]);
  }
  for (const [module, names] of modules) {
    // A module that several functions come from is there once for each, under the same key.
    const lines = [...glue.matchAll(new RegExp(`^\\s*"${escape(module)}": (\\w+),$\\n`, 'gm'))];
    const object = lines[0]?.[1];
    if (object === undefined) {
      throw new Error(`The bindings do not import ${module}`);
    }
    for (const [line] of lines) {
      glue = glue.replace(line, '');
    }
    if (module.endsWith('_bg.js')) {
      for (const [name, short] of names) {
        const [key] = only(glue, new RegExp(`^\\s*${escape(name)}(?=: )`, 'm'), name);
        glue = glue.replace(key, short);
      }
      entries.push(`...${object}`);
    } else {
      // A module of the core's own, which the binary calls without anything in between.
      entries.push(...names.map(([name, short]) => `${short}: ${object}.${name}`));
    }
  }
  const [start] = only(glue, /return \{\n\s*__proto__: null,\n(?=\s*\};)/m, 'the imports');
  glue = glue.replace(start, () => `${start}a: { ${entries.join(', ')} },\n`);

  const shorts = new Map(exports);
  return glue.replace(/\bwasm\.([\w$]+)/g, (whole, name) => {
    const short = shorts.get(name);
    if (short === undefined) {
      throw new Error(`The bindings use ${whole}, which the binary does not export`);
    }
    return `wasm.${short}`;
  });
}

function only(text, pattern, what) {
  const found = [...text.matchAll(new RegExp(pattern, 'gm'))];
  if (found.length !== 1) {
    throw new Error(`The bindings have ${what} ${found.length} times, not once`);
  }
  return found[0];
}

function escape(text) {
  return text.replace(/[$.*+?()[\]{}|\\^]/g, '\\$&');
}

// The two that open a pair come first; braces, because the context models of brotli take them for
// punctuation, unlike most of what follows.
const OPENERS = '{}';
const ESCAPES = OPENERS.length;
const ALPHABET = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
  .filter((character) => !(OPENERS + '"\'`\\$<').includes(character))
  .reduce((all, character) => all + character, OPENERS);

/** The source of `chat-core`. */
export function inline(wasm) {
  const count = new Array(256).fill(0);
  for (const byte of wasm) {
    count[byte] += 1;
  }
  const singles = ALPHABET.length - ESCAPES;
  const frequent = new Set(
    [...count.keys()].sort((a, b) => count[b] - count[a] || a - b).slice(0, singles),
  );
  // In order of value within each kind, which compresses better than by rank.
  const short = [...count.keys()].filter((byte) => frequent.has(byte));
  const long = [...count.keys()].filter((byte) => !frequent.has(byte));
  const code = new Array(256);
  short.forEach((byte, index) => {
    code[byte] = ALPHABET[ESCAPES + index];
  });
  long.forEach((byte, index) => {
    code[byte] = ALPHABET[Math.floor(index / singles)] + ALPHABET[ESCAPES + (index % singles)];
  });
  const kinds = Array.from({ length: 64 }, (_, nibble) =>
    [0, 1, 2, 3]
      .reduce((bits, bit) => bits | (frequent.has(nibble * 4 + bit) ? 1 << bit : 0), 0)
      .toString(16),
  ).join('');
  const text = Array.from(wasm, (byte) => code[byte]).join('');
  return `export { ChatApi, ChatSocket, OnlineUsers, initSync } from 'chat-core-bindings';
const ALPHABET = ${JSON.stringify(ALPHABET)};
// One bit for each byte value: whether it is written as a single character.
const KINDS = '${kinds}';
const TEXT = "${text}";
export function wasmBytes() {
  const kinds = [[], []];
  for (let byte = 0; byte < 256; byte++) {
    kinds[(parseInt(KINDS[byte >> 2], 16) >> (byte & 3)) & 1].push(byte);
  }
  const [long, short] = kinds;
  const bytes = new Uint8Array(${wasm.length});
  let at = 0;
  const next = () => ALPHABET.indexOf(TEXT[at++]);
  for (let index = 0; index < bytes.length; index++) {
    const value = next();
    bytes[index] =
      value < ${ESCAPES} ? long[value * ${singles} + next() - ${ESCAPES}] : short[value - ${ESCAPES}];
  }
  return bytes;
}
`;
}
