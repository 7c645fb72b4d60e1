/** Every failure that leaves the package is a `ChatError`; its `code` is what programs decide by. */

/** Refusals of the server. */
export type ServerErrorCode =
  | 'TENANT_REQUIRED'
  | 'TENANT_MISMATCH'
  | 'INVALID_PAYLOAD'
  | 'TEXT_REQUIRED'
  | 'CREDENTIAL_REQUIRED'
  | 'INVALID_TOKEN'
  | 'TOKEN_EXPIRED'
  | 'INVALID_API_KEY'
  | 'ADMIN_REQUIRED'
  | 'WRONG_TENANT'
  | 'ORIGIN_NOT_ALLOWED'
  | 'UNKNOWN_TENANT'
  | 'UNKNOWN_SESSION'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'TEXT_TOO_LONG'
  | 'PAYLOAD_TOO_LARGE'
  | 'RATE_LIMITED'
  | 'TOO_MANY_CONNECTIONS'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'SHUTTING_DOWN';

/** Failures on this side of the wire. */
export type ClientErrorCode =
  | 'NETWORK_ERROR'
  | 'TIMEOUT'
  | 'NOT_CONNECTED'
  | 'DISCONNECTED'
  | 'CONNECTION_REFUSED'
  | 'INVALID_RESPONSE'
  | 'INVALID_CONFIG'
  | 'HTTP_ERROR'
  | 'TOKEN_UNAVAILABLE'
  | 'ABORTED'
  | 'WASM_UNAVAILABLE';

/** A newer server may know codes that this list does not. */
export type ChatErrorCode = ServerErrorCode | ClientErrorCode | (string & {});

/** Whatever fails in the package fails with this. Programs decide by `code`, never by `message`. */
export class ChatError extends Error {
  /** Always `ChatError`. */
  override readonly name = 'ChatError';
  /** What happened; `help` is the page about it. */
  readonly code: ChatErrorCode;
  /** The HTTP status, where an HTTP answer was one of an error. */
  readonly status: number | undefined;

  /** For tests and stand-ins; the package makes its own. */
  constructor(code: ChatErrorCode, message: string, status?: number) {
    super(message);
    this.code = code;
    this.status = status;
  }

  /** The address of the page that says when this code comes and what to do. */
  get help(): string {
    return `https://github.com/amoiq/chat-widget/blob/main/npm/docs/errors/${this.code}.md`;
  }
}

/** What the core calls to make an error, and what anything thrown is turned into. */
export function fail(code: string, message: string, status?: number): ChatError {
  return new ChatError(code, message, status);
}

/** What was caught as a `ChatError`: what is none is a defect, the page's or the package's. */
export function asError(cause: unknown): ChatError {
  return cause instanceof ChatError ? cause : fail('INTERNAL', String(cause));
}
