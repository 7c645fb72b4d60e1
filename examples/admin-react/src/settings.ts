/**
 * Where this dashboard's server is. In order: the address bar (`?server=…&tenant=…`), what the page
 * was built with (`VITE_GATEWAY_URL` and so on), the server that `cargo xtask demo` starts.
 *
 * A real dashboard gets its key from its own login; a key never belongs into an address, so there is
 * no parameter for it.
 */
export interface Settings {
  gatewayUrl: string;
  websocketUrl: string;
  tenantId: string;
  apiKey: string;
}

declare global {
  interface Window {
    /** What a host page may set before the script. */
    ChatAdminConfig?: Partial<Settings>;
  }
}

export function readSettings(): Settings {
  const address = new URLSearchParams(window.location.search);
  const given = window.ChatAdminConfig;
  const env = import.meta.env;
  const gatewayUrl =
    address.get('server') ?? given?.gatewayUrl ?? text(env['VITE_GATEWAY_URL']) ?? 'http://127.0.0.1:3000';
  return {
    gatewayUrl,
    websocketUrl:
      address.get('server') ?? given?.websocketUrl ?? text(env['VITE_WEBSOCKET_URL']) ?? gatewayUrl,
    tenantId: address.get('tenant') ?? given?.tenantId ?? text(env['VITE_TENANT_ID']) ?? 'demo',
    apiKey: given?.apiKey ?? text(env['VITE_GATEWAY_API_KEY']) ?? 'demo-admin-key',
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
