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
  return () => load(address, script);
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

/** As the page loads the widget's own: under a nonce where its policy asks for one, and from elsewhere in the way it is allowed to. */
async function load(address: string, { nonce, crossOrigin }: HTMLScriptElement): Promise<CoreFallback> {
  const element = document.createElement('script');
  element.nonce = nonce;
  element.crossOrigin = crossOrigin;
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
