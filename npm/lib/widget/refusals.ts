/** Codes of a connection that no further attempt brings back. After any other it returns by itself. */
import type { ChatErrorCode } from '../errors.js';

export const REFUSALS: ReadonlySet<ChatErrorCode> = new Set<ChatErrorCode>([
  'TENANT_REQUIRED',
  'CREDENTIAL_REQUIRED',
  'INVALID_API_KEY',
  'INVALID_CONFIG',
  'INVALID_TOKEN',
  'ORIGIN_NOT_ALLOWED',
  'TOKEN_EXPIRED',
  'UNKNOWN_TENANT',
  'WASM_UNAVAILABLE',
  'WRONG_TENANT',
]);
