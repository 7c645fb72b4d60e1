/** What the licences of others ask for: whoever has the package has the notices of all that is compiled into it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { consumer, FIXTURES } from '../support/consumer.ts';
import { run } from '../support/run.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** In the package's JavaScript beside our own and the binaries. */
const WRITERS = ['binaryen', 'esbuild'];

let directory: string;
let notices: string;

beforeAll(async () => {
  const project = await consumer(`${FIXTURES}node`, 'notices');
  directory = join(project, 'node_modules/@amoiq/chat-widget');
  notices = await readFile(join(directory, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
});

test('they name what is compiled in, and nothing else', async () => {
  const crates = await Promise.all(['chat-client-wasm', 'chat-client-view'].map(compiledInto));
  const tools = await Promise.all(WRITERS.map(installed));
  const library = `Rust's standard library ${await compiler()}`;
  const expected = new Set([...crates.flat(), ...tools, library]);
  expect([...named()].sort()).toEqual([...expected].sort());
});

test('each of them comes with a text', () => {
  const [, ...texts] = notices.split(/^-{80}$/m);
  const owners = texts.map((text) => /^\n(.+):\n\n\S?/.exec(text)?.[1]?.split(', ') ?? []);
  expect(new Set(owners.flat())).toEqual(new Set(named()));
  expect(texts.join('')).toContain('Permission is hereby granted, free of charge');
  expect(texts.join('')).toContain('Apache License');
});

test("the script tag's files say under which licence they are and where the notices are", async () => {
  const manifest = await readFile(join(directory, 'package.json'), 'utf8');
  const { name, version, license } = JSON.parse(manifest) as Record<string, string>;
  expect(await readFile(join(directory, 'LICENSE'), 'utf8')).toContain(`${license} License`);
  for (const file of ['widget.v1.js', 'widget.v1.no-wasm.js']) {
    const text = await readFile(join(directory, 'dist', file), 'utf8');
    const [comment = ''] = /^\uFEFF\/\*!.*?\*\//.exec(text) ?? [];
    expect(comment).toContain(`${name} ${version}, ${license}, THIRD-PARTY-NOTICES.txt`);
  }
});

/** Who the list at the beginning names. */
function named(): string[] {
  const [head = ''] = notices.split(/^-{80}$/m);
  return Array.from(head.matchAll(/^(.+ \d+\.\d+\.\d+\S*) \(.+$/gm), ([, title = '']) => title);
}

/** The crates of others that are linked into one of ours, as the package has it. */
async function compiledInto(crate: string): Promise<string[]> {
  const { stdout } = await run(
    'cargo',
    [
      ...['tree', '--package', crate, '--features', 'standalone', '--target', 'wasm32-unknown-unknown'],
      ...['--edges', 'normal,no-proc-macro', '--prefix', 'none', '--format', '{p}'],
    ],
    ROOT,
  );
  return stdout
    .split('\n')
    // Our own are named with their paths.
    .filter((line) => line !== '' && !/\([^*]/.test(line))
    .map((line) => line.replace(/^(\S+) v(\S+).*$/, '$1 $2'));
}

/** A package that builds ours. */
async function installed(name: string): Promise<string> {
  const manifest = await readFile(join(ROOT, 'npm/node_modules', name, 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  return `${name} ${version}`;
}

async function compiler(): Promise<string> {
  const { stdout } = await run('rustc', ['--version'], ROOT);
  return stdout.split(' ')[1] ?? '';
}
