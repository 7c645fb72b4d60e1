/**
 * The JavaScript interface of `client-wasm`, as the facade uses it. The build resolves `chat-core`
 * to the generated bindings and the inlined binary; tests resolve it to a fake. A module that is
 * only declared cannot import by a relative name (all would be `any`), hence `#lib`.
 */
declare module 'chat-core' {
  import type { ChatConfig } from '#lib/config.js';
  import type { ChatError } from '#lib/errors.js';
  import type { ApiOp, SocketEvent, SocketOp, UsersOp } from '#lib/ops.js';
  import type { ChatMessage, MessageReceipt, OnlineUser } from '#lib/types.js';

  export interface Auth {
    token?: string;
    visitorId?: string;
    /** Empty: the page would like to have one. */
    visitorToken?: string;
  }

  /** What a handshake says beside who comes. */
  export interface About {
    /** What is known of the visit, in the words of the wire. */
    visit?: object | undefined;
    /** 1: an admin who is told of every conversation. */
    conversations?: number;
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
    /** Called before each connect and each request: the same as long as it proves the same. */
    credentials: () => Promise<Auth>;
    /** Called as each handshake is sent. */
    about?: (() => About) | undefined;
    fail: (code: string, message: string, status?: number) => ChatError;
    /** Read whenever it counts. */
    settings: () => ChatConfig;
    /** Gives the requests up that are made with this. */
    signal?: AbortSignal | undefined;
    /** The answer to the first request, which is under way already. */
    ahead?: unknown;
  }

  /** A live connection. */
  export interface Socket {
    (op: SocketOp.Send, message: object): Promise<MessageReceipt> & { number: number };
    (op: SocketOp.Join, conversation: object): Promise<{ messages: ChatMessage[] }>;
    (op: SocketOp.Status): number;
    /** Says what has changed of the visit, if it is connected. */
    (op: SocketOp.Report, change: object): void;
    /** Gives up the message whose promise has that number. */
    (op: SocketOp.Cancel, number: number): void;
    (op: SocketOp.List | SocketOp.Close): void;
  }

  /** Connects at once. */
  export function chatSocket(
    config: CoreConfig,
    listener: (event: SocketEvent, value: unknown) => void,
  ): Socket;

  /** The HTTP interface. */
  export interface Api {
    (op: ApiOp.Users): Promise<OnlineUser[]>;
    (op: ApiOp.Messages, conversation: object): Promise<ChatMessage[]>;
    (op: ApiOp.Send, body: object): Promise<ChatMessage>;
    (op: ApiOp.Session, body: object): Promise<string>;
    /** Reads the path, with all other fields as the query; the answer as it is. */
    (op: ApiOp.Get, request: { path: string; [parameter: string]: string }): Promise<unknown>;
  }

  export function chatApi(config: CoreConfig): Api;

  /** Where the rows of one store are, by slot; a slot without a row is undefined. */
  export interface Shelf {
    readonly rows: readonly (OnlineUser | undefined)[];
    readonly slots: ReadonlyMap<string, number>;
    /** How many rows there are. */
    readonly size: number;
    /** Set to an array, it collects the slots that change. */
    dirty: number[] | null;
    /** Another number whenever slots have been renumbered. */
    readonly generation: number;
    /** Called when rows change that `users` has shown, or `dirty` begins to fill; it must not call into the core. */
    onchange: () => void;
    /** The rows in order of arrival: the same array until they change. */
    users(): OnlineUser[];
  }

  /** The users online in a tenant. What becomes of a refresh shows. */
  export interface Users {
    (op: UsersOp.Shelf): Shelf;
    (op: UsersOp.Poll, interval: number): void;
    (op: UsersOp.Refresh | UsersOp.Close): void;
  }

  /**
   * Starts at once, and calls `changed` with `UsersStatus` and an error, also before it returns. An
   * infinite `interval` is no polling.
   */
  export function onlineUsers(
    config: CoreConfig,
    socket: boolean,
    interval: number,
    changed: (status: number, error: ChatError | undefined) => void,
  ): Users;

  /** Asks for the list with which `onlineUsers` begins, and leaves what comes of it in `config`. For admins. */
  export function askAhead(config: CoreConfig, auth: Auth): void;

  export function initSync(arg: { module: WebAssembly.Module }): unknown;

  /** The core's binary, unpacked from where the build inlined it. */
  export function wasmBytes(): Uint8Array<ArrayBuffer>;

  /** The same in every file of one build, and in no other build's. */
  export const coreId: string;
}

/** The same core as plain JavaScript. */
declare module 'chat-core-no-wasm' {
  export { chatApi, chatSocket, coreId, onlineUsers } from 'chat-core';
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
