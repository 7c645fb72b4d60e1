/**
 * The core as plain JavaScript, for browsers and pages that refuse WebAssembly. A file of its own,
 * larger and slower than the binary: only `configure({ fallback })` loads it. Importing does nothing.
 *
 * @module @amoiq/chat-widget/no-wasm
 */
import { chatApi, chatSocket, initSync, onlineUsers } from 'chat-core-no-wasm';

/** Starts the core. For the package's own use. */
export function startCore(): object {
  initSync();
  return { chatApi, chatSocket, onlineUsers };
}

/** Loads the views, which are a further file; what it resolves to makes an index for them. For the package's own use. */
export async function startView(): Promise<() => object> {
  const { instantiate } = await import('./no-wasm-view.js');
  return () => instantiate({});
}
