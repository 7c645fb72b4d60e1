/** The examples of the manuals, as a reader types them in: each one is well typed against the packed package by itself. */
import { fileURLToPath } from 'node:url';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { consumer, FIXTURES } from '../support/consumer.ts';
import { run } from '../support/run.ts';

const MANUALS = ['README.md', 'npm/README.md', 'npm/docs/errors/README.md'];

const compilerOptions = {
  module: 'esnext',
  moduleResolution: 'bundler',
  moduleDetection: 'force',
  target: 'es2022',
  lib: ['es2023', 'dom'],
  jsx: 'react-jsx',
  strict: true,
  types: ['node'],
  noEmit: true,
};

/** The examples in TypeScript, by the file and line where they begin. */
async function examples(manual: string): Promise<Map<string, string>> {
  const text = await readFile(new URL(`../../${manual}`, import.meta.url), 'utf8');
  const found = new Map<string, string>();
  for (const { 1: kind, 2: code = '', index } of text.matchAll(/^```(tsx?)\n(.*?)^```/gms)) {
    const line = text.slice(0, index).split('\n').length;
    found.set(`${manual.replaceAll(/\W/g, '-')}-line-${line}.${kind}`, code);
  }
  return found;
}

test('the examples of the manuals are complete and well typed', async () => {
  const directory = await consumer(`${FIXTURES}readme`, 'readme');
  for (const manual of MANUALS) {
    const found = await examples(manual);
    expect(found.size, manual).toBeGreaterThan(0);
    for (const [name, code] of found) {
      await writeFile(join(directory, name), code);
    }
  }
  const tsconfig = { compilerOptions, include: ['*.ts', '*.tsx'] };
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(tsconfig));
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  await run(process.execPath, [tsc, '--project', directory], directory).catch((error: unknown) => {
    throw new Error((error as { stdout?: string }).stdout ?? String(error));
  });
});
