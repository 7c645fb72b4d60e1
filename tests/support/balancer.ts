/** What stands before several gateways: every connection's next request goes to the next one, whoever sent it. */
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

export interface Balancer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** How many requests each place has had. */
  readonly counts: readonly number[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Takes requests to these places in turn. */
export async function balance(urls: readonly string[]): Promise<Balancer> {
  const places = urls.map((url) => new URL(url));
  const counts = places.map(() => 0);
  let turn = 0;
  const next = (): URL => {
    const index = turn++ % places.length;
    counts[index] = (counts[index] ?? 0) + 1;
    const place = places[index];
    if (!place) throw new Error('there is no place to go to');
    return place;
  };
  const server = createServer((incoming, answer) => pass(next(), incoming, answer));
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgrade(next(), incoming, socket, head);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    counts,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function pass(place: URL, incoming: IncomingMessage, answer: ServerResponse): void {
  const outgoing = request(
    {
      host: place.hostname,
      port: place.port,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
    },
    (heard) => {
      answer.writeHead(heard.statusCode ?? 500, heard.headers);
      heard.pipe(answer);
    },
  );
  outgoing.on('error', () => answer.destroy());
  answer.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

function upgrade(place: URL, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
  const outgoing = connect(Number(place.port), place.hostname, () => {
    const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
    for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
      lines.push(`${incoming.rawHeaders[index]}: ${incoming.rawHeaders[index + 1]}`);
    }
    outgoing.write(`${lines.join('\r\n')}\r\n\r\n`);
    outgoing.write(head);
    socket.pipe(outgoing).pipe(socket);
  });
  outgoing.on('error', () => socket.destroy());
  socket.on('error', () => outgoing.destroy());
  socket.on('close', () => outgoing.destroy());
}
