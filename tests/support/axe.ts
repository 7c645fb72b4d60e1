/** What axe finds wrong with a page for those who do not see it, or use no pointer. */
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from './browser.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** One line for each thing that is wrong and where; none if nothing is. */
export async function barriers(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: AXE });
  const { violations } = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<AxeResults> } };
    return axe.run();
  });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}
