/**
 * The core as plain JavaScript, for browsers and pages that refuse WebAssembly. A file of its own,
 * larger and slower than the binary: only `configure({ fallback })` loads it. Importing does nothing.
 *
 * @module @amoiq/chat-widget/no-wasm
 */
import { chatApi, chatSocket, initSync, onlineUsers } from 'chat-core-no-wasm';

/** Starts the core; for the package's own use. */
export function startCore(): object {
  initSync();
  return { chatApi, chatSocket, onlineUsers };
}
