/** What a visitor's page tells about itself, and what the visitor is known again by. */
import type { CoreConfig } from 'chat-core';
import type { SendOptions, WebsiteInfo } from './types.js';

const KEY = 'amoiq-chat-visitor';

/** What storage could not take, or has lost since: it lasts as long as the page. */
const unsaved: Record<string, string> = {};

/** An id that stays the same over reloads of this site. It is a name, not a right: it opens nothing. */
export function visitorId(): string {
  const kept = load(KEY);
  return /^[\w-]{8,64}$/.test(kept) ? kept : save(KEY, randomId());
}

/** The token by which the server knows the visitor again; empty if it has not issued one yet. */
export function visitorToken(tenantId: string): string {
  return load(tokenKey(tenantId));
}

/** Where it is kept. */
export const tokenKey = (tenantId: string): string => KEY + tenantId;

/** Keeps a token that the server has issued. */
export function keepToken(tenantId: string, issued: unknown): void {
  save(tokenKey(tenantId), String((issued as { token?: unknown } | null)?.token ?? ''));
}

/** What is kept for this site under that name; empty if there is nothing. */
export function load(key: string): string {
  try {
    return localStorage.getItem(key) || unsaved[key] || '';
  } catch {
    return unsaved[key] || '';
  }
}

/** Keeps it for this site, or as long as the page where that is not allowed. */
export function save(key: string, value: string): string {
  unsaved[key] = value;
  try {
    localStorage.setItem(key, value);
  } catch {
    // Blocked or full.
  }
  return value;
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
  { sessionId, clientId, retry }: SendOptions,
): object {
  const domain = website && (website.domain ?? globalThis.location?.hostname);
  const siteId = website?.siteId;
  return {
    text,
    ...(siteId !== undefined && { siteId: String(siteId) }),
    ...(domain && { domain }),
    // What is undefined does not go over the wire.
    sessionId,
    clientId,
    retry,
  };
}

/** `crypto.randomUUID` is missing on plain http pages; `getRandomValues` is everywhere. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
