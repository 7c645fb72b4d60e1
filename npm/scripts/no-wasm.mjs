/**
 * Makes the modules `chat-core-no-wasm` and `chat-view-no-wasm`: core and views as plain JavaScript, for
 * pages whose policy refuses WebAssembly. binaryen's wasm2js translates the binaries that `lib/no-wasm`
 * has without reference types and vector instructions.
 *
 * They behave as the binaries do, and nothing of them may end up in what other pages load.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cut } from './bindings.mjs';
import { coreId } from './core.mjs';
import { binaryen, FEATURES, inScratch } from './tools.mjs';

const root = fileURLToPath(new URL('../lib/no-wasm/', import.meta.url));

// What JavaScript has no operation for, in terms of what it has.
const LOWERED = [
  '--signext-lowering',
  '--llvm-nontrapping-fptoint-lowering',
  '--llvm-memory-copy-fill-lowering',
];

/** An esbuild plugin that leaves the views apart from the core here, too. */
export const viewApartWithoutWasm = {
  name: 'view-apart-without-wasm',
  setup(build) {
    build.onResolve({ filter: /^\.\/no-wasm-view\.js$/ }, ({ path }) => ({ path, external: true }));
  },
};

/** An esbuild plugin that resolves both modules. */
export function noWasmPlugin() {
  const bindings = readFileSync(join(root, 'chat_client_wasm.js'), 'utf8');
  const sources = {
    'chat-core-no-wasm': `${rebind(bindings)}
${translate('chat_client_wasm_bg.wasm', '-Oz')}
export const coreId = ${JSON.stringify(coreId)};
`,
    // The speed of searches counts for more here than some bytes.
    'chat-view-no-wasm': `${translate('chat_client_view.wasm', '-O3')}
export { instantiate };
`,
    // What a binary with a table of references would have inside.
    __wbindgen_externref_xform__: `export const __wbindgen_externref_statics_end = () => ${firstFree(bindings)};
`,
  };
  return {
    name: 'no-wasm',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^(${Object.keys(sources).join('|')})$`) }, ({ path }) => ({
        path,
        namespace: 'no-wasm',
      }));
      build.onLoad({ filter: /./, namespace: 'no-wasm' }, ({ path }) => ({
        contents: sources[path],
        loader: 'js',
        resolveDir: root,
      }));
    },
  };
}

/** The source of a function `instantiate`, which takes the imports and returns the exports. */
function translate(name, level) {
  return inScratch((directory) => {
    const lowered = join(directory, 'lowered.wasm');
    const output = join(directory, 'translated.js');
    const binary = join(root, name);
    binaryen('wasm-opt', [
      ...[binary, '-o', lowered, ...FEATURES, '--low-memory-unused', ...LOWERED, level],
      ...['--strip-debug', '--strip-producers', '--strip-target-features'],
    ]);
    binaryen('wasm2js', [lowered, '-o', output, '--emscripten', level]);
    const source = readFileSync(output, 'utf8');
    if (/[gs]etTempRet0/.test(source)) {
      throw new Error(`A 64-bit integer crosses the border of ${name}, which JavaScript cannot pass on`);
    }
    return source;
  });
}

/** The bindings, bound to `instantiate`. */
export function rebind(source) {
  const glue = cut(
    source,
    /^function initSync\([^]*?^\}$/m,
    `function initSync() {
    return wasm ?? __wbg_finalize_init({ exports: instantiate(__wbg_get_imports()) });
}`,
  );
  // Memory that grows leaves the old buffer as it was, and not detached as WebAssembly's is.
  const views = glue.match(/^function get\w+Memory0\(/gm) ?? [];
  const guard = /^(function get\w+Memory0\(\) \{\s*if \()(cached\w+) === null \|\| .*(\) \{)$/gm;
  if (views.length === 0 || glue.match(guard)?.length !== views.length) {
    throw new Error('The bindings look at the memory in another way than is known here');
  }
  return glue.replace(
    guard,
    (_, head, cached, tail) => `${head}${cached}?.buffer !== wasm.memory.buffer${tail}`,
  );
}

/** The first place in the bindings' array of JavaScript's values that may be given away; those below stay what they are. */
function firstFree(bindings) {
  const [, index] = /^function dropObject\(idx\) \{\s*if \(idx < (\d+)\) return;/m.exec(bindings) ?? [];
  if (index === undefined) {
    throw new Error('The bindings do not say which of their values stay');
  }
  return index;
}
