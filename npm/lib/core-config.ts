/**
 * The settings of one client in the core's terms.
 *
 * Endpoints are read once, when a client first needs them; credentials before each connect and each
 * request, so that a renewed token counts at once.
 */
import type { Auth, CoreConfig } from 'chat-core';
import { currentConfig } from './config.js';
import { fail } from './errors.js';
import { pageInfo, visitorId, visitorToken } from './page.js';
import type { WebsiteInfo } from './types.js';

/** Throws `INVALID_CONFIG`. */
export function coreConfig(tenantId: string, admin: boolean, website?: WebsiteInfo): CoreConfig {
  if (!tenantId) {
    throw fail('INVALID_CONFIG', 'A tenantId is required');
  }
  const { gatewayUrl, websocketUrl } = currentConfig();
  const api = gatewayUrl || websocketUrl;
  if (!api) {
    throw fail(
      'INVALID_CONFIG',
      'No endpoint: call configure({ gatewayUrl }) or set NEXT_PUBLIC_GATEWAY_URL',
    );
  }
  // Whoever names no website and shows a key is a dashboard, which is no visitor and leaves no id.
  const visitor = !admin && website !== undefined;
  return {
    tenantId: String(tenantId),
    admin,
    apiUrl: base(api).replace(/^ws/i, 'http'),
    socketUrl: base(websocketUrl || api),
    website: admin ? {} : pageInfo(website),
    credentials: async (): Promise<Auth> => {
      const { getToken, apiKey } = currentConfig();
      // Text that was fetched may end a line. What no header can bear is no token: a page, where the session is over.
      const token = ((getToken ? await getToken() : apiKey) ?? '').trim();
      if (/[^!-~]/.test(token)) {
        throw fail('TOKEN_UNAVAILABLE', 'That is no token');
      }
      const auth: Auth = {};
      if (token) {
        auth.token = token;
      }
      if (visitor || (!admin && !token)) {
        auth.visitorId = visitorId();
        // Even if empty: it asks for one.
        auth.visitorToken = visitorToken(tenantId);
      }
      return auth;
    },
    fail,
    settings: currentConfig,
  };
}

function base(url: string): string {
  if (!/^(https?|wss?):\/\/[^/]/i.test(url)) {
    throw fail('INVALID_CONFIG', `Not an http(s) or ws(s) address: ${url}`);
  }
  return url.replace(/\/+$/, '');
}
