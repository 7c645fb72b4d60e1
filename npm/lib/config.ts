/**
 * Where the servers are and how to prove who we are.
 *
 * `configure` wins over the environment. Nothing here runs on import.
 */
type Token = string | null | undefined;

/** Where the servers are, and how to prove who we are. What is left out is read from the environment. */
export interface ChatConfig {
  /** Base address of the HTTP gateway, `https://…`. Default: `websocketUrl`. */
  gatewayUrl?: string | undefined;
  /** Base address of the Socket.IO server, `wss://…` or `https://…`. Default: `gatewayUrl`. */
  websocketUrl?: string | undefined;
  /** A fixed key: the tenant's admin key on a dashboard, its widget key on a site. */
  apiKey?: string | undefined;
  /** Fetches a fresh token; called before each connect and each request. Wins over `apiKey`. */
  getToken?: (() => Token | Promise<Token>) | undefined;
  /** How long a request may take, `getToken` and its answer included, in milliseconds. Default: 15000. */
  requestTimeout?: number | undefined;
  /**
   * What connections are made with, where the platform has none: on Node 20, the class of the package
   * `ws`. With it, clients and stores work outside a page.
   */
  WebSocket?: WebSocketClass | undefined;
  /**
   * Loads the core as plain JavaScript, `() => import('@amoiq/chat-widget/no-wasm')`; called only if
   * the browser or the page's content security policy refuses WebAssembly. Default: none.
   */
  fallback?: (() => Promise<CoreFallback>) | undefined;
}

/** What `@amoiq/chat-widget/no-wasm` exports, for the package's own use. */
export interface CoreFallback {
  /** Starts the core. */
  readonly startCore: () => object;
  /** Loads the views; what it resolves to makes an index for them. */
  readonly startView: () => Promise<() => object>;
}

/** As much of a WebSocket's class as is asked for here; both the browser's and that of `ws` fit. */
export type WebSocketClass = new (url: string) => {
  /** Sends a text frame. */
  send(data: string): void;
  /** Ends the connection. */
  close(): void;
};

let settings: ChatConfig = {};

/**
 * Sets endpoints and credentials for the whole page. Later calls add to earlier ones; of `apiKey`
 * and `getToken` the one given last counts.
 *
 * Where the bundler substitutes `process.env.NEXT_PUBLIC_…`, as Next does, no call is needed. Vite does
 * not: there, call `configure({ gatewayUrl: import.meta.env.VITE_GATEWAY_URL, … })` before the first
 * client is made.
 */
export function configure(config: ChatConfig): void {
  settings = { ...settings, ...config };
  if (config.apiKey && !config.getToken) {
    settings.getToken = undefined;
  }
}

/** What was configured, over what the environment says. */
export function currentConfig(): ChatConfig {
  return {
    ...settings,
    gatewayUrl: settings.gatewayUrl || environment.gatewayUrl(),
    websocketUrl: settings.websocketUrl || environment.websocketUrl(),
    apiKey: settings.apiKey || environment.apiKey(),
  };
}

// Bundlers replace `process.env.NAME` only where it is written out in full. A page that no bundler
// has touched has no `process`; asking `typeof process` first would hide a substituted value, so
// each read is looked at on its own.
const environment = {
  gatewayUrl: () =>
    first(
      () => process.env.NEXT_PUBLIC_GATEWAY_URL,
      () => process.env.NEXT_PUBLIC_API_URL,
    ),
  websocketUrl: () =>
    first(
      () => process.env.NEXT_PUBLIC_WEBSOCKET_URL,
      () => process.env.NEXT_PUBLIC_WS_URL,
    ),
  apiKey: () =>
    first(
      () => process.env.NEXT_PUBLIC_GATEWAY_API_KEY,
      () => process.env.NEXT_PUBLIC_API_KEY,
    ),
};

function first(...reads: (() => string | undefined)[]): string | undefined {
  for (const read of reads) {
    // It would throw, and errors are dear in a page that starts.
    if (typeof process === 'undefined' && /process\.env/.test(String(read))) {
      continue;
    }
    try {
      const value = read();
      if (value) {
        return value;
      }
    } catch {
      // No `process` here: this name was not substituted, the next one may have been.
    }
  }
  return undefined;
}
