/** A port for programs that cannot pick one themselves. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

const ATTEMPTS = 5;

/** Starts something on a free port. Somebody else may take the port in between; then another one is tried. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      return await start(port);
    } catch (error) {
      const { cause } = error as Error;
      const missing = ((cause ?? error) as NodeJS.ErrnoException).code === 'ENOENT';
      if (missing || attempt === ATTEMPTS) throw error;
    }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
