/**
 * The inlined binary of `client-wasm/view`. The build resolves `chat-view` to it; tests resolve it to
 * the file that the build left.
 */
declare module 'chat-view' {
  export function wasmBytes(): Uint8Array<ArrayBuffer>;
}

/** The same module as plain JavaScript. */
declare module 'chat-view-no-wasm' {
  /** Makes an instance; the module imports nothing. Its exports are those of the binary. */
  export function instantiate(imports: Record<string, never>): object;
}
