// @vitest-environment node
/** `WebSocketOrPolling`: which way it takes, and the protocol of the one that needs no WebSocket. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { bodyOf, packetsOf } from '../lib/polling/payload.js';
import type { WebSocketOrPolling } from '../lib/polling.js';

const URL_GIVEN = 'wss://h/socket.io/?EIO=4&transport=websocket&tenantId=42&url=https%3A%2F%2Fs%2F';
const OPENING = '0{"sid":"s1","upgrades":["websocket"],"pingInterval":25000,"maxPayload":30}';
const later = (millis = 0) => vi.advanceTimersByTimeAsync(millis);

/** A request that a server has not answered yet. */
interface Asked {
  readonly url: URL;
  readonly method: string;
  readonly body: string;
  readonly keepalive: boolean;
  readonly signal: AbortSignal;
  answer(body: string, status?: number): void;
  fail(): void;
}

let asked: Asked[] = [];
let sockets: FakeSocket[] = [];

/** Opens when the test says. */
class FakeSocket {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;
  binaryType = '';
  readonly sent: string[] = [];
  isClosed = false;

  constructor(readonly url: string) {
    sockets.push(this);
  }

  send(data: string): void {
    this.sent.push(data);
  }

  close(): void {
    this.isClosed = true;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  asked = [];
  sockets = [];
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('fetch', (url: URL, init: RequestInit) => {
    const { method = 'GET', body = '', keepalive = false, signal } = init;
    return new Promise<Response>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('aborted')));
      asked.push({
        url: new URL(url),
        method,
        body: String(body),
        keepalive,
        signal: signal ?? new AbortController().signal,
        answer: (text, status = 200) => resolve(new Response(text, { status })),
        fail: () => reject(new TypeError('network')),
      });
    });
  });
});

afterEach(() => {
  vi.useRealTimers();
});

/** A page in which the class has learned nothing yet. */
async function fresh() {
  const { WebSocketOrPolling: Connection } = await import('../lib/polling.js');
  return (url = URL_GIVEN) => {
    const told: string[] = [];
    const line: WebSocketOrPolling = new Connection(url);
    line.onopen = () => told.push('open');
    line.onmessage = ({ data }) => told.push(String(data));
    line.onclose = () => told.push('close');
    return { line, told };
  };
}

const polls = () => asked.filter(({ method }) => method === 'GET');
const posts = () => asked.filter(({ method }) => method === 'POST');

/** A session over requests that is open. */
async function polling() {
  vi.stubGlobal('WebSocket', undefined);
  const made = (await fresh())();
  await later();
  polls()[0]?.answer(OPENING);
  await later();
  return made;
}

test('where a WebSocket opens it is all there is', async () => {
  const { line, told } = (await fresh())();
  const [socket] = sockets;
  expect(socket?.url).toBe(URL_GIVEN);
  expect(told).toEqual([]);
  socket?.onmessage?.({ data: OPENING });
  socket?.onmessage?.({ data: '2' });
  line.send('3');
  expect(told).toEqual(['open', OPENING, '2']);
  expect(socket?.sent).toEqual(['3']);
  socket?.onclose?.();
  expect(told.at(-1)).toBe('close');
  await later(100_000);
  expect(asked).toEqual([]);
});

test.each([
  ['there is none', () => vi.stubGlobal('WebSocket', undefined)],
  [
    'the policy forbids it',
    () =>
      vi.stubGlobal(
        'WebSocket',
        class {
          constructor() {
            throw new DOMException('refused', 'SecurityError');
          }
        },
      ),
  ],
  ['it ends before anything came', () => setTimeout(() => sockets[0]?.onclose?.(), 10)],
  ['it fails without an end', () => setTimeout(() => sockets[0]?.onerror?.(), 10)],
  ['nothing comes for some seconds', () => {}],
])('requests are made where no WebSocket can be opened: %s', async (_, block) => {
  block();
  const { told } = (await fresh())();
  await later(4000);
  expect(asked).toHaveLength(1);
  expect(sockets.every(({ isClosed }) => isClosed)).toBe(true);
  asked[0]?.answer(OPENING);
  await later();
  expect(told).toEqual(['open', OPENING]);
});

test('a handshake says all that a WebSocket’s would, and what follows only what it is known by', async () => {
  await polling();
  const [handshake, next] = polls();
  expect(String(handshake?.url)).toBe(
    'https://h/socket.io/?EIO=4&transport=polling&tenantId=42&url=https%3A%2F%2Fs%2F',
  );
  expect(String(next?.url)).toBe('https://h/socket.io/?EIO=4&transport=polling&tenantId=42&sid=s1');
});

test('one request for packets is open at a time, and each packet of its answer is told', async () => {
  const { told } = await polling();
  expect(polls()).toHaveLength(2);
  polls()[1]?.answer('40{"sid":"x"}\x1e42["a",1]\x1e6\x1ebAAAA');
  await later();
  expect(told.slice(2)).toEqual(['40{"sid":"x"}', '42["a",1]']);
  expect(polls()).toHaveLength(3);
});

test('what is sent in one go goes in one request, and the rest when that is done', async () => {
  const { line } = await polling();
  line.send('40');
  line.send('42["a"]');
  await later();
  line.send('42["b"]');
  line.send('3');
  await later();
  expect(posts().map(({ body }) => body)).toEqual(['40\x1e42["a"]']);
  posts()[0]?.answer('ok');
  await later();
  expect(posts().map(({ body }) => body)).toEqual(['40\x1e42["a"]', '42["b"]\x1e3']);
});

test('no request is larger than the server takes, unless a packet is', async () => {
  const { line } = await polling();
  const texts = ['é'.repeat(10), 'x'.repeat(12), 'y'.repeat(40), 'z'];
  texts.forEach((text) => line.send(text));
  for (let at = 0; at < texts.length; at += 1) {
    await later();
    posts()[at]?.answer('ok');
  }
  expect(posts().map(({ body }) => body)).toEqual(texts);
});

test('its end says goodbye after what was sent, even if the page is left, and then nothing', async () => {
  const { line, told } = await polling();
  line.send('41');
  line.close();
  expect(posts()).toMatchObject([{ body: '41\x1e1', keepalive: true }]);
  posts()[0]?.answer('ok');
  await later();
  expect(polls().at(-1)?.signal.aborted).toBe(true);
  expect(told).toEqual(['open', OPENING]);
  expect(vi.getTimerCount()).toBe(0);
});

test('its end waits for what is on its way', async () => {
  const { line } = await polling();
  line.send('42["a"]');
  await later();
  line.close();
  await later();
  expect(posts()).toHaveLength(1);
  posts()[0]?.answer('ok');
  await later();
  expect(posts().map(({ body }) => body)).toEqual(['42["a"]', '1']);
});

test('an end before it has begun takes the request back', async () => {
  vi.stubGlobal('WebSocket', undefined);
  const { line, told } = (await fresh())();
  await later();
  line.close();
  await later();
  expect(asked).toMatchObject([{ signal: { aborted: true } }]);
  expect(told).toEqual([]);
});

test('an end while the WebSocket still opens leaves nothing behind', async () => {
  const { line, told } = (await fresh())();
  line.close();
  await later(10_000);
  expect(sockets[0]?.isClosed).toBe(true);
  expect(asked).toEqual([]);
  expect(told).toEqual([]);
});

test.each([
  ['says that it is over', (poll?: Asked) => poll?.answer('1')],
  ['does not know it any more', (poll?: Asked) => poll?.answer('{"code":1}', 400)],
  ['is not reached', (poll?: Asked) => poll?.fail()],
])('it has ended when the server %s', async (_, act) => {
  const { told } = await polling();
  act(polls()[1]);
  await later();
  expect(told).toEqual(['open', OPENING, 'close']);
  await later(100_000);
  expect(polls()).toHaveLength(2);
});

test('it has ended when something could not be sent', async () => {
  const { line, told } = await polling();
  line.send('42["a"]');
  await later();
  posts()[0]?.fail();
  await later();
  expect(told.at(-1)).toBe('close');
});

test('what answers otherwise is no server of this kind', async () => {
  vi.stubGlobal('WebSocket', undefined);
  const { told } = (await fresh())();
  await later();
  asked[0]?.answer('<html>Welcome to the hotel</html>');
  await later();
  expect(told).toEqual(['close']);
});

test('an answer without a packet is an end, and no reason to ask again at once', async () => {
  const { told } = await polling();
  polls().at(-1)?.answer('');
  await later();
  expect(told.at(-1)).toBe('close');
  expect(polls()).toHaveLength(2);
});

test('an address that is none ends at once, but not before anybody listens', async () => {
  vi.stubGlobal('WebSocket', undefined);
  const { told } = (await fresh())('nowhere');
  expect(told).toEqual([]);
  await later();
  expect(told).toEqual(['close']);
});

test('what got through is remembered for some minutes, and then a WebSocket is tried again', async () => {
  const connect = await fresh();
  connect();
  sockets[0]?.onclose?.();
  await later();
  polls()[0]?.answer(OPENING);
  await later();
  connect();
  expect(sockets).toHaveLength(1);
  await later(5 * 60_000);
  connect();
  expect(sockets).toHaveLength(2);
});

test('where WebSockets have worked, an outage is no reason for requests until there were several', async () => {
  const connect = await fresh();
  connect();
  sockets[0]?.onmessage?.({ data: OPENING });
  sockets[0]?.onclose?.();
  for (const at of [1, 2]) {
    const { told } = connect();
    sockets[at]?.onclose?.();
    await later();
    expect(told).toEqual(['close']);
  }
  expect(asked).toEqual([]);
  connect();
  sockets[3]?.onclose?.();
  await later();
  expect(asked).toHaveLength(1);
});

test('a server that is down teaches nothing', async () => {
  const connect = await fresh();
  const { told } = connect();
  sockets[0]?.onclose?.();
  await later();
  asked[0]?.fail();
  await later();
  expect(told).toEqual(['close']);
  connect();
  expect(sockets).toHaveLength(2);
});

test('bodies and packets', () => {
  expect(packetsOf('')).toEqual([]);
  expect(bodyOf([], 10)).toEqual({ body: '', count: 0 });
  expect(bodyOf(['ab', 'cd', 'e'], 5)).toEqual({ body: 'ab\x1ecd', count: 2 });
  expect(bodyOf(['abcdef', 'g'], 5)).toEqual({ body: 'abcdef', count: 1 });
});
