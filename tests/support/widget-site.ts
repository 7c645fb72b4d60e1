/** Shop pages with the script tag as the contract writes it. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { consumer, FIXTURES, pageWith } from './consumer.ts';
import { serve, type Site } from './site.ts';

const WIDGET = 'widget.v1.js';

export interface WidgetPage {
  readonly server: string;
  readonly tenantId?: string;
  /** How often the page includes the script. */
  readonly times?: number;
}

/** Installs the packed package and copies the widget to where a shop would serve it; resolves with that directory. */
export async function widgetFiles(name: string): Promise<string> {
  const directory = await consumer(`${FIXTURES}script-page`, name);
  const served = join(directory, 'site');
  await cp(join(directory, 'node_modules/@amoiq/chat-widget/dist', WIDGET), join(served, WIDGET));
  return served;
}

/** A site with a page at `/shop`. */
export function widgetSite(
  files: string,
  { server, tenantId = 'demo', times = 1 }: WidgetPage,
): Promise<Site> {
  const config = JSON.stringify({ tenantId, baseUrl: server });
  const head =
    `<script>window.ChatWidgetConfig = ${config}</script>` +
    `<script src="/${WIDGET}" async></script>`.repeat(times);
  return serve(files, { '/shop': pageWith(head) });
}
