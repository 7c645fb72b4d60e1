/** `window.ChatWidgetConfig`, read once and checked. */

export interface ChatWidgetConfig {
  tenantId: string;
  /** Default: `bottom-right`. */
  position?: 'bottom-right' | 'bottom-left';
  /** Base address of the server. Default: the origin that the script came from. */
  baseUrl?: string;
  siteId?: string | number;
  /** The tenant's widget key, if it has any. It is public by nature. */
  apiKey?: string;
}

declare global {
  interface Window {
    ChatWidgetConfig?: ChatWidgetConfig;
  }
}

export interface WidgetOptions {
  tenantId: string;
  left: boolean;
  baseUrl: string;
  siteId: string | undefined;
  apiKey: string | undefined;
}

/** Throws a sentence for the page's developer where something is missing. */
export function readOptions(
  config: Partial<ChatWidgetConfig> | undefined,
  scriptUrl: string | undefined,
): WidgetOptions {
  if (!config?.tenantId) {
    throw new Error('set window.ChatWidgetConfig = { tenantId } before the script');
  }
  const baseUrl = config.baseUrl || (scriptUrl && new URL(scriptUrl).origin);
  if (!baseUrl) {
    throw new Error('set baseUrl in window.ChatWidgetConfig: the script has no address of its own');
  }
  return {
    tenantId: String(config.tenantId),
    left: config.position === 'bottom-left',
    baseUrl,
    siteId: config.siteId === undefined ? undefined : String(config.siteId),
    apiKey: config.apiKey,
  };
}
