/** Stands in for the inlined binary: the module as `cargo xtask build` leaves it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const view = {
  /** Makes the next starts fail, as a page's policy would. */
  broken: false,
};

export function wasmBytes(): Uint8Array<ArrayBuffer> {
  return view.broken
    ? new Uint8Array(1)
    : new Uint8Array(readFileSync(join(import.meta.dirname, '../lib/wasm/chat_client_view.wasm')));
}
