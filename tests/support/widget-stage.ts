/** What tests of the widget have in common: a browser, a server, and the files of the script tag, for all tests of a file. */
import { type Backend, startServer } from './backends.ts';
import { TestBrowser } from './browser.ts';
import { staged } from './staged.ts';
import { widgetFiles } from './widget-site.ts';

export interface WidgetStage {
  readonly browser: TestBrowser;
  readonly server: Backend;
  /** Where the script tag's files are. */
  readonly files: string;
}

/** Sets the stage before the tests of the file that calls it, and clears it after them. `name` is the stage's own. */
export const widgetStage = (name: string, options?: Parameters<typeof startServer>[0]): WidgetStage =>
  staged<WidgetStage>({
    browser: () => TestBrowser.launch(),
    server: () => startServer(options),
    files: () => widgetFiles(name),
  });
