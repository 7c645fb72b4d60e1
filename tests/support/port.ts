/** Ports for programs that cannot pick one themselves, or that are started again where they were. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that systems hand out by themselves. Above, a client that tries on and on to reach an address where nobody
 * listens can be given that very port for its own end, and is then connected to itself.
 */
const FIRST = 15_000;
const LAST = 30_000;
const ATTEMPTS = 50;
const STARTS = 5;

/** Starts something on a free port. Somebody else may take the port in between; then another one is tried. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      return await start(port);
    } catch (error) {
      const { cause } = error as Error;
      const missing = ((cause ?? error) as NodeJS.ErrnoException).code === 'ENOENT';
      if (missing || attempt === STARTS) throw error;
    }
  }
}

/** A port that nobody listens on. Somebody else may take it before the caller does. */
export async function freePort(): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const server = createServer();
    try {
      server.listen(randomInt(FIRST, LAST), '127.0.0.1');
      await once(server, 'listening');
    } catch (cause) {
      if (attempt === ATTEMPTS) throw cause;
      continue;
    }
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, 'close');
    return port;
  }
}
