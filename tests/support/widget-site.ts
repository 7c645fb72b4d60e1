/** Shop pages with the script tag as the contract writes it. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { consumer, FIXTURES, pageWith } from './consumer.ts';
import { serve, type Site } from './site.ts';

const WIDGET = 'widget.v1.js';
/** What the widget loads from beside itself where WebAssembly is refused. */
export const NO_WASM = 'widget.v1.no-wasm.js';

export interface WidgetPage {
  readonly server: string;
  readonly tenantId?: string;
  /** How often the page includes the script. */
  readonly times?: number;
  /** What else the page configures. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** What stands in the page's head before the widget. */
  readonly head?: string;
  /** The page's content security policy, in which scripts may be named by the nonce `page`. */
  readonly policy?: string;
}

/** Installs the packed package and copies the widget to where a shop would serve it; resolves with that directory. */
export async function widgetFiles(name: string): Promise<string> {
  const directory = await consumer(`${FIXTURES}script-page`, name);
  const served = join(directory, 'site');
  const published = join(directory, 'node_modules/@amoiq/chat-widget/dist');
  for (const file of [WIDGET, NO_WASM]) await cp(join(published, file), join(served, file));
  return served;
}

/** A site with a page at `/shop`. */
export function widgetSite(
  files: string,
  { server, tenantId = 'demo', times = 1, config: more, head: before = '', policy }: WidgetPage,
): Promise<Site> {
  const config = JSON.stringify({ tenantId, baseUrl: server, ...more });
  const head =
    before +
    `<script nonce="page">window.ChatWidgetConfig = ${config}</script>` +
    `<script nonce="page" src="/${WIDGET}" async></script>`.repeat(times);
  const pages = { '/shop': pageWith(head) };
  return serve(files, pages, policy === undefined ? {} : { 'content-security-policy': policy });
}
