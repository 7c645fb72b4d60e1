/** binaryen's programs, and directories for what they read and write. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const programs = fileURLToPath(new URL('../node_modules/binaryen/bin/', import.meta.url));

/** The features that rustc enables for wasm32-unknown-unknown, no more: every browser that is still supported has them. */
export const FEATURES = [
  'bulk-memory',
  'bulk-memory-opt',
  'multivalue',
  'mutable-globals',
  'nontrapping-float-to-int',
  'reference-types',
  'sign-ext',
].map((name) => `--enable-${name}`);

/** Runs one of binaryen's programs; returns what it printed. */
export function binaryen(program, args) {
  return execFileSync(process.execPath, [join(programs, program), ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
}

/** Calls `use` with a directory that is gone afterwards. */
export function inScratch(use) {
  const directory = mkdtempSync(join(tmpdir(), 'chat-widget-'));
  try {
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
