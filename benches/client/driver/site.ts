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

/** Serves `NAME.js` of a directory, and around each a page `/NAME`. */
export async function serve(directory: string): Promise<Site> {
  const scripts = new Map<string, Buffer>();
  for (const file of await readdir(directory)) {
    scripts.set(`/${file}`, compressed(await readFile(join(directory, file))));
  }
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const script = scripts.get(pathname);
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    response.setHeader('cross-origin-embedder-policy', 'require-corp');
    if (script) {
      response.setHeader('content-type', 'text/javascript; charset=utf-8');
      response.setHeader('content-encoding', 'br');
      response.setHeader('cache-control', 'public, max-age=31536000, immutable');
      response.end(script);
    } else if (scripts.has(`${pathname}.js`)) {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(pageWith(`${pathname}.js`));
    } else {
      response.writeHead(pathname === '/favicon.ico' ? 204 : 404).end();
    }
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
