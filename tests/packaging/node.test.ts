/** The packed package on a server: Node's own module loaders, React's server rendering, TypeScript's view of it. */
import { fileURLToPath } from 'node:url';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { consumer, FIXTURES } from '../support/consumer.ts';
import { run } from '../support/run.ts';

let directory: string;

beforeAll(async () => {
  directory = await consumer(`${FIXTURES}node`, 'node');
});

for (const [loader, file] of Object.entries({ import: 'import.mjs', require: 'require.cjs' })) {
  test(`${loader} does nothing, prints nothing and renders`, async () => {
    // A client that did something here would be refused on this port, or would keep the process alive.
    const { stdout, stderr } = await run(process.execPath, [file], directory);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      rendered: { users: 0, isLoading: true, isConnected: false, error: null },
      connected: false,
      api: 'function',
      errorIsError: true,
    });
  });
}

/** How a project may look at the package's types. */
const resolutions = {
  'a bundler': { module: 'esnext', moduleResolution: 'bundler' },
  'Node, ESM': { module: 'nodenext', moduleResolution: 'nodenext' },
};

for (const [name, resolution] of Object.entries(resolutions)) {
  test(`the guide's examples are well typed for ${name}`, async () => {
    const app = await consumer(`${FIXTURES}vite-app/src`, `types-${resolution.module}`);
    const compilerOptions = {
      ...resolution,
      target: 'es2022',
      lib: ['es2023', 'dom'],
      jsx: 'react-jsx',
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      types: [],
      noEmit: true,
    };
    const include = ['*Users.tsx', 'AdminDashboard.tsx', 'HookPolling.tsx'];
    await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include }));
    const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
    await run(process.execPath, [tsc, '--project', app], app).catch((error: unknown) => {
      throw new Error((error as { stdout?: string }).stdout ?? String(error));
    });
  });
}
