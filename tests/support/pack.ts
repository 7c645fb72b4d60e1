/** Packs the package once for all test files: what is tested is what would be published. */
import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { npm } from './run.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The packed package's file. */
    tarball: string;
    /** A directory for what this run builds; the repository ignores it. */
    artifacts: string;
  }
}

export default async function pack(project: TestProject): Promise<void> {
  const artifacts = fileURLToPath(new URL(`../${project.name}/artifacts`, import.meta.url));
  await rm(artifacts, { recursive: true, force: true });
  await mkdir(artifacts, { recursive: true });
  const source = fileURLToPath(new URL('../../npm', import.meta.url));
  await access(join(source, 'dist/esm/index.js')).catch((cause: unknown) => {
    throw new Error('the package is not built: run `cargo xtask build` first', { cause });
  });
  const { stdout } = await npm(['pack', '--silent', '--pack-destination', artifacts], source);
  project.provide('tarball', join(artifacts, stdout.trim()));
  project.provide('artifacts', artifacts);
}
