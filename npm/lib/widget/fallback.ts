/**
 * The core without WebAssembly, for the script tag: a second script from beside the first one,
 * loaded only on a page whose policy needs it.
 */
import { coreId } from 'chat-core';
import type { CoreFallback } from '../config.js';
import { FALLBACK, type LoadedFallback } from './fallback-mark.js';

const FILE = 'widget.v1.no-wasm.js';

/** What loads it; `undefined` if the widget's script has no address. */
export function fallbackBeside(
  script: HTMLScriptElement | null,
): (() => Promise<CoreFallback>) | undefined {
  if (!script?.src) {
    return undefined;
  }
  const { href, search } = new URL(script.src);
  const address = new URL(FILE + search, href).href;
  // A page whose policy names scripts by a nonce has given it to the widget's.
  return () => load(address, script.nonce);
}

interface Policies {
  createPolicy(
    name: string,
    rules: { createScriptURL: (address: string) => string },
  ): { createScriptURL: (address: string) => string };
}

/** A page that demands trusted types may allow this one by its name. */
function trusted(address: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: Policies };
  const rules = { createScriptURL: (address: string) => address };
  return trustedTypes?.createPolicy('amoiq-chat-widget', rules).createScriptURL(address) ?? address;
}

async function load(address: string, nonce: string): Promise<CoreFallback> {
  const element = document.createElement('script');
  element.nonce = nonce;
  element.src = trusted(address);
  await new Promise<unknown>((resolve, reject) => {
    element.onload = resolve;
    element.onerror = () => reject(new Error(`${address} cannot be loaded`));
    document.head.append(element);
  });
  const loaded = (globalThis as { [FALLBACK]?: LoadedFallback })[FALLBACK];
  if (loaded?.coreId !== coreId) {
    // A cache may hold the two files of different releases.
    throw new Error(`${address} does not belong to this release of the widget`);
  }
  return { ...loaded, startView: () => Promise.reject(new Error('The widget has no views')) };
}
