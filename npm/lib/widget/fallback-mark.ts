/** Where the script tag's second script leaves what it brings, and its first one looks for it. */
import type { CoreFallback } from '../config.js';

export const FALLBACK = Symbol.for('@amoiq/chat-widget/no-wasm');

export interface LoadedFallback extends Pick<CoreFallback, 'startCore'> {
  /** Which build it belongs to. */
  readonly coreId: string;
}
