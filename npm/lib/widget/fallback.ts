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

/** What a page that demands trusted types has to allow by name. */
const POLICY = 'amoiq-chat-widget';

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
}

/** The address in the form that such a page takes; one that allows no policy of this name refuses the address itself. */
function trusted(address: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  try {
    return trustedTypes?.createPolicy(POLICY, { createScriptURL: (url) => url }).createScriptURL(address) ?? address;
  } catch {
    return address;
  }
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
