/**
 * A static web server on a free port. Its pages are isolated from other origins, which gives them a finer clock; scripts are
 * compressed as a host would do it, and may be cached.
 */
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { compressed } from './compressed.ts';

export interface Site {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What is sent, compressed already. */
export interface Answer {
  readonly type: string;
  readonly body: Buffer;
}

/** Serves `NAME.js` of a directory, and around each a page `/NAME`. */
export async function serve(directory: string): Promise<Site> {
  const files = new Map<string, Answer>();
  for (const file of await readdir(directory)) {
    const script = compressed(await readFile(join(directory, file)));
    files.set(`/${file}`, { type: 'text/javascript; charset=utf-8', body: script });
    const page = compressed(Buffer.from(pageWith(`/${file}`)));
    files.set(`/${file.replace(/\.js$/, '')}`, { type: 'text/html; charset=utf-8', body: page });
  }
  return listen((path) => files.get(path));
}

/** Serves whatever `answer` has for a path. */
export async function listen(answer: (path: string) => Answer | undefined): Promise<Site> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    response.setHeader('cross-origin-embedder-policy', 'require-corp');
    const found = answer(pathname);
    if (!found) {
      response.writeHead(pathname === '/favicon.ico' ? 204 : 404).end();
      return;
    }
    response.setHeader('content-type', found.type);
    response.setHeader('content-encoding', 'br');
    if (!found.type.startsWith('text/html')) {
      response.setHeader('cache-control', 'public, max-age=31536000, immutable');
    }
    response.end(found.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const pageWith = (script: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>bench</title><script type="module" src="${script}"></script></head><body><div id="root"></div></body></html>`;
