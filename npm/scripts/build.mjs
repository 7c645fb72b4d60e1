/**
 * Builds `dist/`: ESM and CommonJS with types for each, the components' stylesheet, and the script-tag widget; beside each of
 * them what runs where WebAssembly does not, in files of its own. Expects the core and the views in
 * `lib/wasm` and `lib/no-wasm`; `cargo xtask build` puts them there. Fails when the package grows over its gate.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';
import { minify } from 'terser';
import { corePlugin, visitorCorePlugin } from './core.mjs';
import { noWasmPlugin, viewApartWithoutWasm } from './no-wasm.mjs';
import { reportSizes } from './size.mjs';
import { stylesPlugin } from './styles.mjs';
import { viewApart, viewPlugin } from './view.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
// Built aside and put in place whole: whoever uses `dist` meanwhile never sees half of it.
const stage = `node_modules/.build-${process.pid}`;
mkdirSync(stage);
process.on('exit', () => rmSync(stage, { recursive: true, force: true }));

const core = corePlugin();
const view = viewPlugin();
const noWasm = noWasmPlugin();
const common = {
  bundle: true,
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
  // Constants become numbers where they are used, which a consumer's bundler could not do to what is shared.
  minifySyntax: true,
  target: 'es2022',
};

// One module beside the entry points has all that they share, so there is one configuration and one core: what `index` hands
// on comes from there, and so does what the others ask of `shared`.
const shared = {
  name: 'shared',
  setup(build) {
    build.onResolve({ filter: /^\.\.?\// }, ({ path, importer }) =>
      /\/shared\.js$/.test(path) || importer === join(root, 'lib/index.ts')
        ? { path: './shared.js', external: true }
        : undefined,
    );
  },
};

const ADAPTERS = ['react', 'vue', 'svelte'];

for (const format of ['esm', 'cjs']) {
  const outdir = `${stage}/${format}`;
  const entry = { ...common, format, outdir, platform: 'neutral' };
  await build({ ...entry, entryPoints: ['lib/shared.ts'], plugins: [core.plugin, viewApart] });
  await build({
    ...entry,
    entryPoints: ['index', ...ADAPTERS].map((name) => `lib/${name}.ts`),
    plugins: [shared],
    external: ADAPTERS,
  });
  await build({
    ...entry,
    entryPoints: ['lib/view.ts'],
    plugins: [view],
    footer: format === 'cjs' ? exporting('attach') : {},
  });
  for (const [name, exported] of [
    ['no-wasm', 'startCore, startView'],
    ['no-wasm-view', 'instantiate'],
  ]) {
    await build({
      ...entry,
      entryPoints: [`lib/${name}.ts`],
      plugins: [viewApartWithoutWasm, noWasm],
      // A program wrote it and nobody reads it.
      minify: true,
      footer: format === 'cjs' ? exporting(exported) : {},
    });
  }
}
writeFileSync(`${stage}/cjs/package.json`, '{ "type": "commonjs" }\n');

// The script tag has its settings from the page that it stands in, and from no environment.
const define = Object.fromEntries(
  ['GATEWAY_URL', 'API_URL', 'WEBSOCKET_URL', 'WS_URL', 'GATEWAY_API_KEY', 'API_KEY'].map((name) => [
    `process.env.NEXT_PUBLIC_${name}`,
    'undefined',
  ]),
);
// So what to do without it is left out.
define.process = 'null';

// For whoever finds the file away from its package.
const { name, version, license } = JSON.parse(readFileSync('package.json', 'utf8'));
const NOTICE = `/*! ${name} ${version}, ${license}, THIRD-PARTY-NOTICES.txt */`;

for (const [file, entry, plugin] of [
  ['widget.v1.js', 'lib/widget/main.ts', visitorCorePlugin().plugin],
  ['widget.v1.no-wasm.js', 'lib/widget/no-wasm.ts', noWasm],
]) {
  await build({
    ...common,
    entryPoints: [entry],
    outfile: `${stage}/${file}`,
    format: 'iife',
    minify: true,
    platform: 'browser',
    charset: 'utf8',
    define,
    plugins: [plugin, stylesPlugin],
  });
  writeFileSync(`${stage}/${file}`, await smaller(readFileSync(`${stage}/${file}`, 'utf8')));
}

await build({
  ...common,
  entryPoints: ['lib/components/desk.css'],
  outfile: `${stage}/desk.css`,
  minify: true,
});

// TypeScript looks for a declaration even where nothing is taken from an import.
writeFileSync(`${stage}/desk.css.d.ts`, '/** The stylesheet of the components: import it for its effect. */\nexport {};\n');

declarations();
rmSync('dist', { recursive: true, force: true });
renameSync(stage, 'dist');
await reportSizes(core.facts);

/**
 * Builds with our own code alone: the notices that `cargo xtask build` writes beside `dist` name no package that would be
 * compiled in.
 */
async function build(options) {
  const { metafile } = await esbuild({ ...options, metafile: true });
  const foreign = Object.keys(metafile.inputs).filter((input) => input.includes('node_modules/'));
  if (foreign.length > 0) {
    throw new Error(`xtask/src/notices.rs does not know whose code this is: ${foreign.join(', ')}`);
  }
}

/** Minified once more, by a program that takes its time: 750 bytes of the widget's after brotli. */
async function smaller(script) {
  const { code } = await minify(script, { compress: { passes: 3 }, ecma: 2022, format: { ascii_only: false } });
  // A third less for texts in other scripts; the mark says so to a browser, whatever page or server say of the charset.
  return `\uFEFF${NOTICE}${code}`;
}

/** What Node looks for to know the names that a CommonJS module exports. */
function exporting(names) {
  return { js: `0 && (module.exports = { ${names} });` };
}

/** Writes the types of the public modules, once for each module system. */
function declarations() {
  const out = `${stage}/types`;
  execFileSync(
    process.execPath,
    [
      join('node_modules', 'typescript', typescriptCommand()),
      ...['-p', 'tsconfig.json', '--noEmit', 'false', '--declaration', '--emitDeclarationOnly'],
      ...['--rootDir', 'lib', '--outDir', out],
    ],
    { stdio: 'inherit' },
  );
  const reached = new Set();
  const visit = (file) => {
    if (reached.has(file)) {
      return;
    }
    reached.add(file);
    const text = readFileSync(join(out, file), 'utf8');
    for (const [, target] of text.matchAll(/(?:from|import\()\s*'(\.[^']*)\.js'/g)) {
      visit(join(file, '..', `${target}.d.ts`));
    }
  };
  for (const name of ['index', 'no-wasm', ...ADAPTERS]) {
    visit(`${name}.d.ts`);
  }
  for (const format of ['esm', 'cjs']) {
    for (const file of reached) {
      mkdirSync(join(stage, format, file, '..'), { recursive: true });
      cpSync(join(out, file), join(stage, format, file));
    }
  }
  rmSync(out, { recursive: true });
}

function typescriptCommand() {
  const { bin } = JSON.parse(readFileSync('node_modules/typescript/package.json', 'utf8'));
  return bin.tsc;
}
