/** What tests of the widget have in common: a browser, a server, and the files of the script tag, for all tests of a file. */
import { afterAll, beforeAll } from 'vitest';
import { type Backend, startServer } from './backends.ts';
import { TestBrowser } from './browser.ts';
import { widgetFiles } from './widget-site.ts';

export interface WidgetStage {
  readonly browser: TestBrowser;
  readonly server: Backend;
  /** Where the script tag's files are. */
  readonly files: string;
}

/** Sets the stage before the tests of the file that calls it, and clears it after them. `name` is the stage's own. */
export function widgetStage(name: string, options?: Parameters<typeof startServer>[0]): WidgetStage {
  const stage: { -readonly [part in keyof WidgetStage]?: WidgetStage[part] } = {};
  beforeAll(async () => {
    [stage.browser, stage.server, stage.files] = await Promise.all([
      TestBrowser.launch(),
      startServer(options),
      widgetFiles(name),
    ]);
  });
  afterAll(async () => {
    await stage.browser?.[Symbol.asyncDispose]();
    await stage.server?.[Symbol.asyncDispose]();
  });
  return stage as WidgetStage;
}
