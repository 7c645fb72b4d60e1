/**
 * Makes the module `chat-core` out of what wasm-bindgen wrote to `lib/wasm`: the bindings, and the
 * binary as text inside the JavaScript.
 *
 * Inlined, because that alone works everywhere the package goes (Vite, webpack, Next, esbuild, Node,
 * a plain script tag): a separate file needs a loader, a MIME type or a flag in half of them.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shorten, trim } from './bindings.mjs';
import { inline } from './inline.mjs';
import { binaryen, FEATURES, inScratch } from './tools.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const binaryIn = (directory) => join(root, directory, 'chat_client_wasm_bg.wasm');
const bindingsIn = (directory) => join(root, directory, 'chat_client_wasm.js');

/** The core with all that it can do, and the one that visitors have. */
const WHOLE = { directory: 'lib/wasm', exported: 'chatApi, chatSocket, onlineUsers' };
const VISITOR = { directory: 'lib/visitor-wasm', exported: 'chatApi, chatSocket' };

for (const { directory } of [WHOLE, VISITOR]) {
  if (!existsSync(bindingsIn(directory)) || !existsSync(binaryIn(directory))) {
    throw new Error(`${directory} is missing: run \`cargo xtask build\`, which builds the core first`);
  }
}

/** What a build of the core is known by. */
export const coreId = createHash('sha256').update(readFileSync(binaryIn(WHOLE.directory))).digest('hex').slice(0, 16);

/** Resolves `chat-core` to the core for visitors; asking it for the store finds nothing. */
export const visitorCorePlugin = () => coreFrom(VISITOR, () => 'export const onlineUsers = undefined;');

/** An esbuild plugin that resolves `chat-core`; `facts` holds the sizes for the build's report. */
export const corePlugin = () => coreFrom(WHOLE, askingAhead);

/** What is asked before there is a core. */
function askingAhead(bindings) {
  const [path] = /(?<= from ["'])[^"']*\/ahead\.js(?=["'])/.exec(bindings) ?? [];
  if (path === undefined) {
    throw new Error('The bindings ask nothing ahead');
  }
  return `export { askAhead } from '${path}';`;
}

function coreFrom({ directory, exported }, besides) {
  const { wasm, names } = optimize(binaryIn(directory));
  const bindings = readFileSync(bindingsIn(directory), 'utf8');
  const module = `${inline(wasm, coreId, exported)}\n${besides(bindings)}`;
  const glue = shorten(trim(bindings), names);
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
          resolveDir: join(root, directory),
        }));
      },
    },
  };
}

function optimize(binary) {
  return inScratch((directory) => {
    const small = join(directory, 'small.wasm');
    const output = join(directory, 'core.wasm');
    wasmOpt(
      [binary, '-o', small],
      [
        // Rust puts the stack first in memory, so nothing of value lies below the first kilobyte.
        '--low-memory-unused',
        '-Oz',
        // Control flow built anew from its graph: a round that `-Oz` leaves out, and worth 1 %.
        ...['--flatten', '--rereloop', '-Oz', '--converge'],
        ...['--strip-debug', '--strip-producers', '--strip-target-features'],
      ],
    );
    // The names between binary and bindings carry hashes, which do not compress.
    const names = wasmOpt([small, '-o', output], ['--minify-imports-and-exports-and-modules']);
    return { wasm: readFileSync(output), names: JSON.parse(names) };
  });
}

const wasmOpt = (files, options) => binaryen('wasm-opt', [...options, ...FEATURES, ...files]);
