/**
 * The inlined binary of `client-wasm/view`. The build resolves `chat-view` to it; tests resolve it to
 * the file that the build left.
 */
declare module 'chat-view' {
  export function wasmBytes(): Uint8Array<ArrayBuffer>;
}
