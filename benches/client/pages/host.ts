/**
 * The shop page that a widget is put into: the first screen of a real one, with a picture, and below it many goods. The same
 * page without a widget is what each figure is compared with.
 */

/** What the page has besides itself. */
export const HERO = '/hero.svg';
export const SHOP_SCRIPT = '/shop.js';

/** The least of the page's own work: goods put into the document, as a shop's script does it. */
export const shopScript = `
const list = document.getElementById('goods');
for (let n = 1; n <= 120; n++) {
  const item = document.createElement('li');
  item.innerHTML = '<h2>Bag ' + n + '</h2><p>Waxed canvas, brass and thread, sewn in small numbers.</p>';
  list.append(item);
}
`;

/** The page; `widget` is the address of the widget's script. */
export function hostPage(config: object, widget: string | undefined): string {
  const tags =
    widget === undefined
      ? ''
      : `<script>window.ChatWidgetConfig = ${JSON.stringify(config)}</script><script src="${widget}" async></script>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Bags for long ways</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body { margin: 0; font: 16px/1.5 system-ui, sans-serif } main { max-width: 960px; margin: auto; padding: 24px }
#hero { display: block; width: 100%; height: auto } #goods { display: grid; grid-template-columns: repeat(3, 1fr); gap: 16px; list-style: none; padding: 0; min-height: 4000px; align-content: start }</style>
${tags}</head><body><main><h1>Bags for long ways</h1><img id="hero" src="${HERO}" width="960" height="480" alt="A bag">
<ul id="goods"></ul></main><script src="${SHOP_SCRIPT}" defer></script></body></html>`;
}

/** A picture with enough in it to count as one: browsers leave out those that look like placeholders. */
export function heroPicture(): string {
  const shapes: string[] = [];
  for (let n = 0; n < 900; n++) {
    const [x, y] = [(n * 7919) % 960, (n * 104_729) % 480];
    shapes.push(`<circle cx="${x}" cy="${y}" r="${6 + (n % 23)}" fill="hsl(${(n * 37) % 360} 40% 60%)"/>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="480">${shapes.join('')}</svg>`;
}
