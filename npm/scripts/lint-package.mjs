/** Packs the package and lets publint and attw judge what a consumer would get. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'chat-widget-'));
const run = (command, ...args) =>
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });

try {
  const [{ filename }] = JSON.parse(run('npm', 'pack', '--json', '--pack-destination', directory));
  const tarball = join(directory, filename);
  const bin = (name) => join(root, 'node_modules/.bin', name);
  for (const [name, ...args] of [
    ['publint', 'run', tarball, '--strict'],
    // The stylesheet and the script tag's files are no modules and have no types.
    ['attw', tarball, '--exclude-entrypoints', 'desk.css', 'widget.v1.js', 'widget.v1.no-wasm.js'],
  ]) {
    try {
      process.stdout.write(run(bin(name), ...args));
    } catch (error) {
      process.stdout.write(error.stdout);
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(directory, { recursive: true });
}
