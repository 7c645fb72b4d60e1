import type { Chromium } from './browser.ts';
import type { Options } from './options.ts';
import type { Report } from './report.ts';
export async function measureViews(_b: Chromium, _s: string, _o: Options, _r: Report): Promise<void> {}
