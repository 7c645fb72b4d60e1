/** The second script of the script tag: leaves the core without WebAssembly where the widget looks for it. */
import { coreId } from 'chat-core-no-wasm';
import { startCore } from '../no-wasm.js';
import { FALLBACK, type LoadedFallback } from './fallback-mark.js';

(globalThis as { [FALLBACK]?: LoadedFallback })[FALLBACK] = { coreId, startCore };
