// Puts the page and the widget's two files side by side in `dist/`: what a shop would upload. The second one is loaded only where
// a content security policy refuses WebAssembly. Each of the shop's addresses is the same page, so that it can be reloaded.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';

const { resolve } = createRequire(import.meta.url);
rmSync('dist', { recursive: true, force: true });
mkdirSync('dist');
for (const address of ['.', 'waldgang', 'wochenende', 'kurier']) {
  mkdirSync(`dist/${address}`, { recursive: true });
  cpSync('index.html', `dist/${address}/index.html`);
}
for (const file of ['widget.v1.js', 'widget.v1.no-wasm.js']) {
  cpSync(resolve(`@amoiq/chat-widget/${file}`), `dist/${file}`);
}
