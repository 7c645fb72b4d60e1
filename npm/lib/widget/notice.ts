/**
 * What the panel says about the connection: one word in its head, and a sentence where the visitor can do something with
 * it. A difficulty shows only once it has lasted, so that nothing flickers.
 */
import type { ConversationSnapshot } from '../conversation/room.js';
import type { ChatErrorCode } from '../errors.js';
import type { ChatWidgetTexts } from './public.js';

export type Standing = 'live' | 'connecting' | 'failed';

export interface Notice {
  readonly standing: Standing;
  /** Which text is in the head. */
  readonly status: keyof ChatWidgetTexts;
  /** Which text explains it, if any does. */
  readonly reason: keyof ChatWidgetTexts | null;
}

/** What is known besides of the page. */
export interface Circumstances {
  /** It was connected before. */
  readonly wasLive: boolean;
  /** It has lasted for `PATIENCE`. */
  readonly isLasting: boolean;
  readonly isOnline: boolean;
  /** The page's policy has refused the server. */
  readonly isBlocked: boolean;
}

/** Milliseconds before a difficulty is worth a word. */
export const PATIENCE = 2000;

/** Codes that no further attempt helps against, and what they say to a visitor. */
export const REFUSALS: Readonly<Partial<Record<ChatErrorCode, keyof ChatWidgetTexts>>> = {
  TENANT_REQUIRED: 'refused',
  UNKNOWN_TENANT: 'refused',
  WRONG_TENANT: 'refused',
  ORIGIN_NOT_ALLOWED: 'refused',
  INVALID_API_KEY: 'refused',
  INVALID_CONFIG: 'refused',
  // The page lacks its key, which no visitor can bring.
  CREDENTIAL_REQUIRED: 'refused',
  INVALID_TOKEN: 'signIn',
  TOKEN_EXPIRED: 'signIn',
  WASM_UNAVAILABLE: 'blocked',
};

export function standingOf({ isConnected, error }: ConversationSnapshot): Standing {
  if (isConnected) {
    return 'live';
  }
  return error && Object.hasOwn(REFUSALS, error.code) ? 'failed' : 'connecting';
}

export function noticeOf(
  snapshot: ConversationSnapshot,
  { wasLive, isLasting, isOnline, isBlocked }: Circumstances,
): Notice {
  const standing = standingOf(snapshot);
  if (standing === 'failed') {
    return { standing, status: 'unavailable', reason: REFUSALS[snapshot.error?.code ?? ''] ?? null };
  }
  if (standing === 'live' || (wasLive && !isLasting)) {
    return { standing, status: 'online', reason: null };
  }
  if (isBlocked && isLasting) {
    return { standing, status: 'unavailable', reason: 'blocked' };
  }
  const lost = isOnline ? 'lost' : 'offline';
  const hasFailed = wasLive || snapshot.error !== null || !isOnline;
  return {
    standing,
    status: wasLive ? 'reconnecting' : 'connecting',
    reason: isLasting && hasFailed ? lost : null,
  };
}

/** Why a message was not sent, where that is of use to a visitor. */
export function failureOf(code: ChatErrorCode | undefined): keyof ChatWidgetTexts {
  if (code === 'TEXT_TOO_LONG' || code === 'PAYLOAD_TOO_LARGE') {
    return 'tooLong';
  }
  return code === 'RATE_LIMITED' ? 'tooMany' : 'notSent';
}
