/** Projects of other people that use the published package. */
import { cp, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build as esbuild, type BuildOptions } from 'esbuild';
import { inject } from 'vitest';
import webpack from 'webpack';
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

/** `vite build` in a consumer's directory; resolves with the directory of the built page. */
export async function viteBuild(directory: string): Promise<string> {
  const vite = fileURLToPath(new URL('../node_modules/vite/bin/vite.js', import.meta.url));
  await run(process.execPath, [vite, 'build', '--logLevel', 'warn'], directory);
  return join(directory, 'dist');
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

/** An HTML page around one script. */
export const pageWith = (head: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>page</title>${head}</head><body></body></html>`;
