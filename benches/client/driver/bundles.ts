/** The pages, bundled as their authors would: the package is the one that `npm pack` makes, all are minified alike. */
import { execFile } from 'node:child_process';
import { access, mkdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, type BuildOptions } from 'esbuild';
import { compressed } from './compressed.ts';

const run = promisify(execFile);

/** The bundled driver lies in `artifacts`, beside what it makes. */
const artifacts = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
const installed = join(artifacts, 'node_modules');
const PACKAGE = '@amoiq/chat-widget';

/** What a bundle costs, minified and compressed. */
export interface Weight {
  readonly name: string;
  readonly side: 'ours' | 'guide';
  readonly bytes: number;
}

/** Puts the package where a page's bundler finds it, as a customer's installation does. */
export async function installPackage(source = join(root, '../../npm')): Promise<void> {
  await access(join(source, 'dist/esm/index.js')).catch((cause: unknown) => {
    throw new Error('the package is not built: run `cargo xtask build --package` first', { cause });
  });
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const directory = join(installed, PACKAGE);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const { stdout } = await run(npm, ['pack', '--silent', '--pack-destination', artifacts], { cwd: source });
  const tarball = join(artifacts, stdout.trim());
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', directory]);
  await rm(tarball);
}

/**
 * Builds the pages that are named and resolves with the directory of their scripts. Only a profile has them with the names
 * that functions were given.
 */
export async function buildPages(names: readonly string[], minify: boolean): Promise<string> {
  const outdir = join(artifacts, 'pages');
  await rm(outdir, { recursive: true, force: true });
  // One by one: together they would share chunks, which a page by itself has not.
  for (const name of names) await build({ ...bundled(pageEntry(name)), outdir, minify });
  return outdir;
}

/** The script tag's file as it is published, and the plain widget as its author would build it. */
export async function widgetScripts(): Promise<{ ours: Uint8Array; guide: Uint8Array }> {
  const { outputFiles } = await build({
    ...bundled({ entryPoints: [join(root, 'guide/widget.ts')] }),
    format: 'iife',
    splitting: false,
    outdir: artifacts,
    write: false,
  });
  const [plain] = outputFiles;
  if (!plain || outputFiles.length !== 1) throw new Error('the plain widget is not one file');
  return { ours: await readFile(join(installed, PACKAGE, 'dist/widget.v1.js')), guide: plain.contents };
}

/** What each stack adds to an application that has React, and what the whole application weighs. */
export async function weights(): Promise<Weight[]> {
  const react = ['react', 'react-dom/client', 'react/jsx-runtime'];
  const hooks = {
    ours: `export { configure } from '${PACKAGE}'; export { useOnlineUsers } from '${PACKAGE}/react';`,
    guide: `export { useOnlineUsers } from './guide/useOnlineUsers.ts';`,
  };
  const weights: Weight[] = [];
  for (const side of ['ours', 'guide'] as const) {
    const hook = { stdin: { contents: hooks[side], resolveDir: root, loader: 'ts' as const } };
    const app = pageEntry(`app-${side}.tsx`);
    const [alone, without, whole] = [
      await weigh(hook, react),
      await weigh(app, react),
      await weigh(app, []),
    ];
    weights.push(
      { name: 'hook and what it needs, without React', side, bytes: alone.first },
      { name: 'application without React', side, bytes: without.first },
      { name: 'application with React', side, bytes: whole.first },
    );
    if (whole.later > 0) {
      weights.push({ name: 'what is loaded only if it is used', side, bytes: whole.later });
    }
  }
  return weights;
}

const pageEntry = (name: string): BuildOptions => ({ entryPoints: [join(root, 'pages', name)] });

const bundled = (entry: BuildOptions): BuildOptions => ({
  ...entry,
  absWorkingDir: root,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'none',
  logLevel: 'warning',
  nodePaths: [installed],
  // What is loaded when it is first used lies in a file of its own.
  splitting: true,
  chunkNames: '[name]-[hash]',
});

/** The files that a page loads at its start, and those that it loads when it first needs them, compressed one by one. */
async function weigh(
  entry: BuildOptions,
  external: readonly string[],
): Promise<{ first: number; later: number }> {
  const { outputFiles, metafile } = await build({
    ...bundled(entry),
    external: [...external],
    outdir: artifacts,
    metafile: true,
    write: false,
  });
  const outputs = Object.entries(metafile.outputs);
  // What is imported when it is needed is an entry of its own to the bundler.
  const isOurs = (entry = ''): boolean => entry === '<stdin>' || entry.startsWith('pages/');
  const needed = new Set(
    outputs.filter(([, { entryPoint }]) => isOurs(entryPoint)).map(([path]) => path),
  );
  for (const path of needed) {
    for (const { path: other, kind } of metafile.outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && metafile.outputs[other]) needed.add(other);
    }
  }
  const weight = { first: 0, later: 0 };
  for (const { path, contents } of outputFiles) {
    weight[needed.has(relative(root, path)) ? 'first' : 'later'] += compressed(contents).length;
  }
  return weight;
}

