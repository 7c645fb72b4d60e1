/**
 * The one place that brings the WebAssembly core to life.
 *
 * Importing does nothing. The first client that needs the core starts it, everyone shares it, and a
 * failed start may be tried again.
 */
import { chatApi, chatSocket, initSync, onlineUsers, wasmBytes } from 'chat-core';
import { currentConfig, type CoreFallback } from './config.js';
import { fail, type ChatError } from './errors.js';

const core = { chatApi, chatSocket, onlineUsers };

export type Core = typeof core;

let starting: Promise<Core> | undefined;

export const unavailable = (cause: unknown): ChatError =>
  fail(
    'WASM_UNAVAILABLE',
    `${String(cause)}. Add 'wasm-unsafe-eval' to the page's script-src, or configure a fallback`,
  );

/** What runs where WebAssembly does not; rejects with the `cause` where there is no such thing. */
export const withoutWasm = (cause: unknown): Promise<CoreFallback> =>
  currentConfig().fallback?.() ?? Promise.reject(cause);

/** Rejects with `WASM_UNAVAILABLE` where neither the binary nor the configured fallback can run. */
export function loadCore(): Promise<Core> {
  starting ??= start().catch((cause: unknown) => {
    starting = undefined;
    throw unavailable(cause);
  });
  return starting;
}

/** Whether to connect: from a page, or with a WebSocket that was given. On a server every client stays inert. */
export function canConnect(): boolean {
  return (
    currentConfig().WebSocket !== undefined ||
    (typeof window !== 'undefined' && typeof WebSocket !== 'undefined')
  );
}

async function start(): Promise<Core> {
  try {
    const bytes = wasmBytes();
    let module: WebAssembly.Module;
    try {
      // It takes a millisecond, and the first request leaves before the browser paints a frame.
      module = new WebAssembly.Module(bytes);
    } catch {
      // Older browsers limit what may be compiled while the page waits.
      module = await WebAssembly.compile(bytes);
    }
    initSync({ module });
    return core;
  } catch (cause) {
    return (await withoutWasm(cause)).startCore() as Core;
  }
}
