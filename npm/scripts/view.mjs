/**
 * Makes the module `chat-view`: the views' binary as text, for the one file that is loaded when the
 * first view is watched. Inlined for the reasons that the core is.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inlineBytes } from './inline.mjs';
import { binaryen, FEATURES, inScratch } from './tools.mjs';

const binary = fileURLToPath(new URL('../lib/wasm/chat_client_view.wasm', import.meta.url));

/** The file's name in the package, beside the entry points of its module system. */
export const VIEW = './view.js';

/** An esbuild plugin that resolves `chat-view`. */
export function viewPlugin() {
  if (!existsSync(binary)) {
    throw new Error('lib/wasm is missing: run `cargo xtask build`, which builds the views first');
  }
  const contents = inlineBytes(optimize());
  return {
    name: 'chat-view',
    setup(build) {
      build.onResolve({ filter: /^chat-view$/ }, () => ({ path: 'view', namespace: 'chat-view' }));
      build.onLoad({ filter: /./, namespace: 'chat-view' }, () => ({ contents, loader: 'js' }));
    },
  };
}

/** An esbuild plugin that leaves the views where they are: a file that is loaded when it is needed. */
export const viewApart = {
  name: 'view-apart',
  setup(build) {
    build.onResolve({ filter: /^\.\.?\/view\.js$/ }, () => ({ path: VIEW, external: true }));
  },
};

function optimize() {
  return inScratch((directory) => {
    const output = join(directory, 'view.wasm');
    binaryen('wasm-opt', [
      ...[binary, '-o', output, ...FEATURES, '--enable-simd', '--low-memory-unused'],
      ...['-O3', '--converge', '--strip-debug', '--strip-producers', '--strip-target-features'],
    ]);
    return readFileSync(output);
  });
}
