// @vitest-environment happy-dom
/** Where the script tag gets the core from when WebAssembly is refused. */
import { afterEach, expect, test, vi } from 'vitest';
import { coreId } from './fake-core.js';
import { FALLBACK, type LoadedFallback } from '../lib/widget/fallback-mark.js';
import { fallbackBeside } from '../lib/widget/fallback.js';

const page = globalThis as { [FALLBACK]?: LoadedFallback };

afterEach(() => {
  delete page[FALLBACK];
});

function widgetScript(src: string, nonce = '', crossOrigin: string | null = null): HTMLScriptElement {
  const script = document.createElement('script');
  script.src = src;
  script.nonce = nonce;
  script.crossOrigin = crossOrigin;
  return script;
}

/** Stands for the network: calls `answer` with each script that is put into the page. */
function network(answer: (script: HTMLScriptElement) => void): void {
  vi.spyOn(document.head, 'append').mockImplementation((script) =>
    queueMicrotask(() => answer(script as HTMLScriptElement)),
  );
}

/** The second script of a build. */
const brings = (build: string) => (script: HTMLScriptElement) => {
  page[FALLBACK] = { coreId: build, startCore: () => ({}) };
  script.onload?.(new Event('load'));
};

test('it lies beside the script, with the same query and the same nonce', async () => {
  const asked: [string, string][] = [];
  network((script) => {
    asked.push([script.src, script.nonce]);
    brings(coreId)(script);
  });
  const load = fallbackBeside(widgetScript('https://cdn.example/a/widget.v1.js?v=7', 'page'));
  expect((await load?.())?.startCore).toBe(page[FALLBACK]?.startCore);
  expect(asked).toEqual([['https://cdn.example/a/widget.v1.no-wasm.js?v=7', 'page']]);
});

test('it is asked for as the script was, on a page that wants leave of other origins', async () => {
  const asked: (string | null)[] = [];
  network((script) => {
    asked.push(script.crossOrigin);
    brings(coreId)(script);
  });
  for (const crossOrigin of ['anonymous', 'use-credentials']) {
    await fallbackBeside(widgetScript('https://cdn.example/widget.v1.js', '', crossOrigin))?.();
  }
  expect(asked).toEqual(['anonymous', 'use-credentials']);
});

test('one of another release is refused', async () => {
  network(brings('another-build'));
  const load = fallbackBeside(widgetScript('https://cdn.example/widget.v1.js'));
  await expect(load?.()).rejects.toThrow(/does not belong to this release/);
});

test('one that is not there is an error', async () => {
  network((script) => script.onerror?.(new Event('error')));
  const load = fallbackBeside(widgetScript('https://cdn.example/widget.v1.js'));
  await expect(load?.()).rejects.toThrow(/widget\.v1\.no-wasm\.js cannot be loaded/);
});

test('a script without an address has nothing beside it', () => {
  expect(fallbackBeside(document.createElement('script'))).toBeUndefined();
  expect(fallbackBeside(null)).toBeUndefined();
});
