/**
 * What the package costs a page: built once more by a consumer's bundler, minified, brotli. The
 * build fails over the gate, because nobody notices growth that nothing stops.
 */
import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { viewApart } from './view.mjs';

const KIB = 1024;
const GATES = {
  core: 20 * KIB,
  'core + React hook': 22 * KIB,
  // With everything that a visitor needs.
  'widget.v1.js': 32 * KIB,
};

// With a bundler that splits, so without the views.
const CORE = `export { ChatAPI, ChatError, ChatWebSocket, configure, createOnlineUsersStore } from './esm/index.js';`;

export async function reportSizes({ wasm, glue }) {
  const rows = [
    ['wasm alone', wasm],
    ['core', await bundle(CORE)],
    ['core + React hook', await bundle(`${CORE} export { useOnlineUsers } from './esm/react.js';`)],
    ['view (on first use)', await bundle(`export { attach } from './esm/view.js';`, [])],
    ['widget.v1.js', readFileSync('dist/widget.v1.js')],
    // Instead of the binary, and beside all of the above.
    ['no-wasm', await bundle(`export { startCore } from './esm/no-wasm.js';`)],
    ['no-wasm view', await bundle(`export * from './esm/no-wasm-view.js';`)],
  ].map(([name, data]) => ({
    name,
    minified: data.length,
    gzip: gzipSync(data, { level: 9 }).length,
    brotli: brotli(data),
    gate: GATES[name] ?? null,
  }));
  process.stdout.write(`sizes in bytes (bindings before minification: ${glue})\n${table(rows)}\n`);
  const over = rows.filter(({ brotli, gate }) => gate !== null && brotli > gate);
  if (over.length > 0) {
    const what = over.map(({ name, brotli, gate }) => `${name}: ${brotli} of at most ${gate} bytes`);
    const message = `Over the size gate: ${what.join('; ')}`;
    if (process.env.SIZE_GATE !== 'report') {
      throw new Error(`${message}. The package is built; SIZE_GATE=report accepts it as it is.`);
    }
    process.stderr.write(`${message}\n`);
  }
}

async function bundle(contents, plugins = [viewApart]) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: 'dist' },
    bundle: true,
    minify: true,
    format: 'esm',
    external: ['react'],
    plugins,
    target: 'es2022',
    write: false,
  });
  return Buffer.from(outputFiles[0].contents);
}

function brotli(data) {
  return brotliCompressSync(data, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
    },
  }).length;
}

function table(rows) {
  const line = (cells) =>
    cells.map((cell, index) => (index ? String(cell).padStart(9) : cell.padEnd(19))).join(' ');
  return [
    line(['', 'minified', 'gzip -9', 'brotli 11', 'gate']),
    ...rows.map((row) => line([row.name, row.minified, row.gzip, row.brotli, row.gate ?? '-'])),
  ].join('\n');
}
