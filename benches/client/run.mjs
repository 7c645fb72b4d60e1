/** Starts the driver: it is TypeScript, which Node 20 does not read, so it is bundled first. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const outfile = fileURLToPath(new URL('artifacts/driver.mjs', import.meta.url));
await build({
  entryPoints: [fileURLToPath(new URL('driver/main.ts', import.meta.url))],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning',
});
await import(outfile);
