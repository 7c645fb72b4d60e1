/** What a visitor's page tells about itself, and the id by which the visitor is known again. */
import type { CoreConfig } from 'chat-core';
import type { SendOptions, WebsiteInfo } from './types.js';

const KEY = 'amoiq-chat-visitor';

let unsaved: string | undefined;

/**
 * An id that stays the same over reloads of this site. It is a name, not a right: it opens nothing.
 * Where storage is blocked it lasts as long as the page.
 */
export function visitorId(): string {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept && /^[\w-]{8,64}$/.test(kept)) {
      return kept;
    }
  } catch {
    // Blocked storage: the id of this page serves.
  }
  unsaved ??= randomId();
  try {
    localStorage.setItem(KEY, unsaved);
  } catch {
    // As above.
  }
  return unsaved;
}

/** The page's own address, under whatever the caller knows better. */
export function pageInfo(given: WebsiteInfo = {}): CoreConfig['website'] {
  const page = typeof location === 'undefined' ? undefined : location;
  const { siteId, ...rest } = given;
  return {
    ...(page && { domain: page.hostname, origin: page.origin, url: page.href }),
    ...(typeof document !== 'undefined' && document.referrer && { referrer: document.referrer }),
    ...rest,
    ...(siteId !== undefined && { siteId: String(siteId) }),
  };
}

/** The payload of a `message`: what the page says of itself fills what the caller left out. */
export function messageBody(
  text: string,
  website: WebsiteInfo | undefined,
  options: SendOptions,
): object {
  const domain = website && (website.domain ?? globalThis.location?.hostname);
  return {
    text,
    ...(website?.siteId !== undefined && { siteId: String(website.siteId) }),
    ...(domain && { domain }),
    ...(options.sessionId !== undefined && { sessionId: options.sessionId }),
  };
}

/** `crypto.randomUUID` is missing on plain http pages; `getRandomValues` is everywhere. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
