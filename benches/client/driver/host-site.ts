/**
 * The shop page as three shops serve it: alone, with our widget, with the plain one. Everything is compressed as a content
 * network does it, and what was asked for is counted.
 */
import { heroPicture, HERO, hostPage, SHOP_SCRIPT, shopScript } from '../pages/host.ts';
import { compressed } from './compressed.ts';
import { type Answer, listen, type Site } from './site.ts';

/** The page by itself, or with one of the widgets. */
export type Shown = 'alone' | 'ours' | 'guide';

export interface HostSite extends Site {
  /** A page that no other visitor has: its address names it at the chat server. */
  page(shown: Shown): string;
  /** What a file weighs, compressed. */
  weight(path: string): number;
  /** How often each path was asked for since this was last called. */
  takeAsked(): ReadonlyMap<string, number>;
}

/** `scripts` are the widgets'. */
export async function serveHost(
  config: object,
  scripts: Readonly<Record<Exclude<Shown, 'alone'>, Uint8Array>>,
): Promise<HostSite> {
  const of = (type: string, text: string | Uint8Array): Answer => ({
    type: `${type}; charset=utf-8`,
    body: compressed(Buffer.from(text)),
  });
  const address = (shown: Shown) => (shown === 'alone' ? undefined : `/widget-${shown}.js`);
  const documents = {
    alone: of('text/html', hostPage(config, undefined)),
    ours: of('text/html', hostPage(config, address('ours'))),
    guide: of('text/html', hostPage(config, address('guide'))),
  };
  const files = new Map<string, Answer>([
    [HERO, of('image/svg+xml', heroPicture())],
    [SHOP_SCRIPT, of('text/javascript', shopScript)],
    ['/widget-ours.js', of('text/javascript', scripts.ours)],
    ['/widget-guide.js', of('text/javascript', scripts.guide)],
  ]);
  let asked = new Map<string, number>();
  let visits = 0;
  const site = await listen((path) => {
    asked.set(path, (asked.get(path) ?? 0) + 1);
    const shown = /^\/(alone|ours|guide)\/\d+$/.exec(path)?.[1] as Shown | undefined;
    return shown ? documents[shown] : files.get(path);
  });
  return {
    ...site,
    page: (shown) => `${site.url}/${shown}/${++visits}`,
    weight(path) {
      const file = files.get(path);
      if (!file) throw new Error(`there is no ${path}`);
      return file.body.length;
    },
    takeAsked() {
      const taken = asked;
      asked = new Map();
      return taken;
    },
  };
}
