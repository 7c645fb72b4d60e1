/** The views' index as plain JavaScript: what `no-wasm.ts` loads when the first view is watched. */
export { instantiate } from 'chat-view-no-wasm';
