/**
 * The JavaScript interface of `client-wasm`, as the facade uses it. The build resolves `chat-core`
 * to the generated bindings and the inlined binary; tests resolve it to a fake.
 */
declare module 'chat-core' {
  import type { ChatError } from './errors.js';
  import type { ChatMessage, MessageReceipt, OnlineUser } from './types.js';

  export interface Auth {
    token?: string;
    visitorId?: string;
    /** Empty: the page would like to have one. */
    visitorToken?: string;
  }

  export interface CoreConfig {
    tenantId: string;
    admin: boolean;
    /** http(s) or ws(s), without a path. */
    socketUrl: string;
    /** http(s). */
    apiUrl: string;
    website: {
      domain?: string;
      origin?: string;
      url?: string;
      referrer?: string;
      siteId?: string;
    };
    /** Called before each connect and each request. */
    credentials: () => Auth | Promise<Auth>;
    fail: (code: string, message: string, status?: number) => ChatError;
  }

  export type CoreEvent =
    | 'connect'
    | 'disconnect'
    | 'error'
    // An error after which there is no further attempt.
    | 'refused'
    | 'message'
    | 'user_online'
    | 'user_offline'
    | 'online_users_list'
    // `{ token, userId, expiresAt }`, to be kept and shown as `visitorToken`.
    | 'visitor_token';

  export class ChatSocket {
    constructor(config: CoreConfig, listener: (event: CoreEvent, value: unknown) => void);
    sendMessage(body: object): Promise<MessageReceipt>;
    requestOnlineUsers(): void;
    isConnected(): boolean;
    disconnect(): void;
    free(): void;
  }

  export class ChatApi {
    constructor(config: CoreConfig);
    getOnlineUsers(): Promise<OnlineUser[]>;
    getMessages(sessionId: string): Promise<ChatMessage[]>;
    sendMessage(body: object): Promise<ChatMessage>;
    createSession(body: object): Promise<string>;
    free(): void;
  }

  export class OnlineUsers {
    constructor(
      config: CoreConfig,
      options: { enableWebSocket: boolean; pollingInterval: number; autoRefresh: boolean },
      changed: () => void,
    );
    /** The same array until it changes. */
    users(): OnlineUser[];
    error(): ChatError | undefined;
    isLoading(): boolean;
    isConnected(): boolean;
    /** What becomes of it shows in the accessors. */
    refresh(): void;
    close(): void;
    free(): void;
  }

  export function initSync(arg: { module: WebAssembly.Module }): unknown;

  /** The core's binary, unpacked from where the build inlined it. */
  export function wasmBytes(): Uint8Array<ArrayBuffer>;

  /** The same in every file of one build, and in no other build's. */
  export const coreId: string;
}

/** The same core as plain JavaScript. */
declare module 'chat-core-no-wasm' {
  export { ChatApi, ChatSocket, OnlineUsers, coreId } from 'chat-core';
  export function initSync(): unknown;
}

/** Only what `config.ts` reads; replaced at build time or absent in a browser. */
declare const process: {
  readonly env: {
    readonly NEXT_PUBLIC_GATEWAY_URL?: string;
    readonly NEXT_PUBLIC_API_URL?: string;
    readonly NEXT_PUBLIC_WEBSOCKET_URL?: string;
    readonly NEXT_PUBLIC_WS_URL?: string;
    readonly NEXT_PUBLIC_GATEWAY_API_KEY?: string;
    readonly NEXT_PUBLIC_API_KEY?: string;
  };
};
