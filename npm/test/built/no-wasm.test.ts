// @vitest-environment node
/** The core as plain JavaScript does what the binary does. This file runs where WebAssembly is refused. */
import { createRequire } from 'node:module';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { NAME, type Package, requestTests, serve } from './behaviour.js';

type Fallback = typeof import('../../lib/no-wasm.js');

const require = createRequire(import.meta.url);

const systems: [string, () => Promise<Package>, () => Promise<Fallback>][] = [
  [
    'import',
    () => import(/* @vite-ignore */ NAME) as Promise<Package>,
    () => import(/* @vite-ignore */ `${NAME}/no-wasm`) as Promise<Fallback>,
  ],
  [
    'require',
    async () => require(NAME) as Package,
    async () => require(`${NAME}/no-wasm`) as Fallback,
  ],
];

// Node's own `fetch` compiles its parser when it is first used, and keeps it.
beforeAll(async () => {
  const { url } = await serve(200, '');
  await fetch(url);
});

beforeEach(() => {
  const compile = () => Promise.reject(new Error('refused by policy'));
  vi.stubGlobal('WebAssembly', { compile });
});

// In this order: a core that has started once serves for as long as the process lives.
for (const [system, load, loadFallback] of systems) {
  describe(system, { shuffle: false }, () => {
    test('without a fallback the error says what to do', async () => {
      const { ChatAPI, configure } = await load();
      configure({ gatewayUrl: 'http://127.0.0.1:9', fallback: undefined });
      await expect(new ChatAPI('42').getOnlineUsers()).rejects.toMatchObject({
        code: 'WASM_UNAVAILABLE',
        message: expect.stringMatching(/refused by policy.*'wasm-unsafe-eval'.*fallback/),
      });
    });

    test('a fallback that cannot be loaded is such an error too, and is tried again', async () => {
      const { ChatAPI, configure } = await load();
      const fallback = vi.fn(() => Promise.reject(new Error('not there')));
      configure({ gatewayUrl: 'http://127.0.0.1:9', fallback });
      const api = new ChatAPI('42');
      for (const times of [1, 2]) {
        await expect(api.getOnlineUsers()).rejects.toMatchObject({
          code: 'WASM_UNAVAILABLE',
          message: expect.stringContaining('not there'),
        });
        expect(fallback).toHaveBeenCalledTimes(times);
      }
    });

    requestTests('without WebAssembly', async () => {
      const chat = await load();
      chat.configure({ fallback: loadFallback });
      return chat;
    });
  });
}
