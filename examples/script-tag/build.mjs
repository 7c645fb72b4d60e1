// Puts the page and the widget side by side in `dist/`: what a shop would upload.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';

const widget = createRequire(import.meta.url).resolve('@amoiq/chat-widget/widget.v1.js');
rmSync('dist', { recursive: true, force: true });
mkdirSync('dist');
cpSync('index.html', 'dist/index.html');
cpSync(widget, 'dist/widget.v1.js');
