/** Engine.IO packets in the bodies of requests. */

const SEPARATOR = '\x1e';

/** The kinds of packets that are of interest here. */
const OPEN = '0';
export const CLOSE = '1';
const NOOP = '6';
const BINARY = 'b';

/** The packets of an answer, but for those that say nothing to a client of text. */
export function packetsOf(body: string): readonly string[] {
  return body
    .split(SEPARATOR)
    .filter((packet) => packet !== '' && packet[0] !== NOOP && packet[0] !== BINARY);
}

/** As many of the packets as fit into one request, at least one: its body, and how many they are. */
export function bodyOf(packets: readonly string[], most: number): { body: string; count: number } {
  let body = packets[0] ?? '';
  let count = Math.min(packets.length, 1);
  let size = bytes(body);
  for (const packet of packets.slice(1)) {
    size += bytes(packet) + 1;
    if (size > most) {
      break;
    }
    body += SEPARATOR + packet;
    count += 1;
  }
  return { body, count };
}

/** What a server says first; none if it is something else. */
export function openingOf(packet: string): { sid: string; maxPayload: number } | undefined {
  try {
    const { sid, maxPayload } = JSON.parse(packet.slice(1)) as {
      sid?: unknown;
      maxPayload?: unknown;
    };
    return packet.startsWith(OPEN) && typeof sid === 'string'
      ? // Older servers do not say how much they take.
        { sid, maxPayload: typeof maxPayload === 'number' ? maxPayload : 10_000 }
      : undefined;
  } catch {
    return undefined;
  }
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
