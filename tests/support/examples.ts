/** The example dashboard and the example shop page, built with the packed package and served as origins of their own. */
import { join } from 'node:path';
import type { Page } from './browser.ts';
import { consumer, EXAMPLES, viteBuild } from './consumer.ts';
import { run } from './run.ts';
import { serve, type Site } from './site.ts';

/** The staff's dashboard. `name` is that of the directory it is built in. */
export const exampleDashboard = async (name: string): Promise<Site> =>
  serve(await viteBuild(await consumer(join(EXAMPLES, 'admin-react'), name)));

/** The shop's page with the script tag. */
export async function exampleShop(name: string): Promise<Site> {
  const directory = await consumer(join(EXAMPLES, 'script-tag'), name);
  await run(process.execPath, ['build.mjs'], directory);
  return serve(join(directory, 'dist'));
}

/** Where one of them is, for a page that is to talk to this server. */
export const address = (site: Site, server: { readonly url: string }): string =>
  `${site.url}/?server=${server.url}`;

/** The dashboard's rows, one a user: those of a table, or of the desk's grid. */
export const rows = (dashboard: Page) =>
  dashboard.locator('tbody:not(.acw-visually-hidden *) tr, [role=grid] .rows [role=row]');
