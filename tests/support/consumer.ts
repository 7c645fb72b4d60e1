/** Projects of other people that use the published package. */
import { cp, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { build as esbuild, type BuildOptions } from 'esbuild';
import { rollup } from 'rollup';
import { build as vite } from 'vite';
import { inject } from 'vitest';
import webpack from 'webpack';
import { onFreePort } from './port.ts';
import { Program } from './program.ts';
import { npm, run } from './run.ts';

export const FIXTURES = fileURLToPath(new URL('../packaging/fixtures/', import.meta.url));
export const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));

const NOT_SOURCES = new Set(['node_modules', 'dist', 'package.json', 'package-lock.json', '.npmrc']);

/**
 * Copies a project's sources to a directory of its own and installs the packed package into it, as a customer does. React
 * and the bundlers are found one level up, in the test package's own `node_modules`.
 */
export async function consumer(source: string, name: string): Promise<string> {
  const directory = join(inject('artifacts'), name);
  await cp(source, directory, {
    recursive: true,
    filter: (path) => !NOT_SOURCES.has(basename(path)),
  });
  const manifest = { name: `consumer-${name}`, private: true, type: 'module' };
  await writeFile(join(directory, 'package.json'), JSON.stringify(manifest));
  await npm(
    ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', inject('tarball')],
    directory,
  );
  return directory;
}

/** What a tool of the test package's own `node_modules` is run with. */
const tool = (path: string): string =>
  fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url));

const VITE = tool('vite/bin/vite.js');

/** `vite build` in a consumer's directory; resolves with the directory of the built page. */
export async function viteBuild(directory: string): Promise<string> {
  await run(process.execPath, [VITE, 'build', '--logLevel', 'warn'], directory);
  return join(directory, 'dist');
}

/** A consumer's entry alone as Vite builds it; resolves with the directory of the module `bundle.js`. */
export async function viteModule(directory: string, entry: string): Promise<string> {
  const out = join(directory, 'dist');
  await vite({
    root: directory,
    configFile: false,
    logLevel: 'warn',
    build: {
      outDir: out,
      rollupOptions: { input: join(directory, entry), output: { entryFileNames: 'bundle.js' } },
    },
  });
  return out;
}

/** `vite` in a consumer's directory: the development server, on a free port. */
export function viteDev(directory: string): Promise<Program> {
  return serverProgram(directory, (port) => [VITE, '--host', '127.0.0.1', '--port', port, '--strictPort']);
}

/** A Node program that serves, started on a free port of its own; `said` is its address. */
function serverProgram(
  directory: string,
  args: (port: string) => string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Program> {
  return onFreePort((port) =>
    Program.start({
      command: process.execPath,
      args: args(String(port)),
      cwd: directory,
      // No colours between the words that it is ready with.
      env: { NO_COLOR: '1', ...env },
      ready: /Local: +(http:\S+)/,
    }),
  );
}

/** Bundles a consumer's entry for a plain script tag; resolves with the directory of `bundle.js`. */
export async function esbuildBundle(
  directory: string,
  entry: string,
  options: BuildOptions = {},
): Promise<string> {
  const out = join(directory, 'dist');
  await esbuild({
    entryPoints: [join(directory, entry)],
    outfile: join(out, 'bundle.js'),
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    logLevel: 'warning',
    ...options,
  });
  return out;
}

/** The same with webpack, as it comes: no loader, no experiment, no configuration but paths. */
export async function webpackBundle(directory: string, entry: string): Promise<string> {
  const out = join(directory, 'dist');
  const compiler = webpack({
    mode: 'production',
    context: directory,
    entry: `./${entry}`,
    output: { path: out, filename: 'bundle.js' },
    performance: false,
  });
  const stats = await promisify(compiler.run.bind(compiler))();
  await promisify(compiler.close.bind(compiler))();
  if (!stats || stats.hasErrors() || stats.hasWarnings()) {
    throw new Error(stats?.toString({ all: false, errors: true, warnings: true }));
  }
  return out;
}

/** The same as a module with Rollup, and the one plugin without which it finds no package. */
export async function rollupBundle(directory: string, entry: string): Promise<string> {
  const out = join(directory, 'dist');
  await using bundle = await rollup({
    input: join(directory, entry),
    plugins: [nodeResolve({ browser: true })],
    onwarn(warning) {
      throw new Error(warning.message);
    },
  });
  await bundle.write({ dir: out, entryFileNames: 'bundle.js', format: 'es' });
  return out;
}

export type NextBundler = 'turbopack' | 'webpack';

const NEXT = tool('next/dist/bin/next');

/** `next build` in a consumer's directory, and the production server of what it built. */
export async function nextSite(
  directory: string,
  bundler: NextBundler,
  env: Readonly<Record<string, string>>,
): Promise<Program> {
  const settings = { NEXT_TELEMETRY_DISABLED: '1', NEXT_DIST_DIR: `.next-${bundler}`, ...env };
  await run(process.execPath, [NEXT, 'build', `--${bundler}`], directory, settings);
  return serverProgram(
    directory,
    (port) => [NEXT, 'start', '--hostname', '127.0.0.1', '--port', port],
    settings,
  );
}

/** An HTML page around one script. */
export const pageWith = (head: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>page</title>${head}</head><body></body></html>`;
