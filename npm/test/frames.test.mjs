// @vitest-environment node
/** Where a socket connects to, and which frames the platform reads by itself: plain events to the letter, nothing else. */
import { expect, test, vi } from 'vitest';
import { openSocket } from '../../client-wasm/js/platform.js';

const [FRAME, EVENT] = [3, 8];

const config = {
  socketUrl: 'https://h',
  tenantId: '42',
  admin: false,
  website: {},
  settings: () => ({}),
};

/** Opens a socket, and returns the one that was made. */
function opened(on, settings = {}) {
  let socket;
  vi.stubGlobal(
    'WebSocket',
    class {
      constructor(url) {
        this.url = url;
        socket = this;
      }
    },
  );
  openSocket({ ...config, ...settings }, 'one two', on);
  return socket;
}

/** What a socket's frame is told as. */
function told(frame) {
  const on = vi.fn();
  opened(on).onmessage({ data: frame });
  return on.mock.calls;
}

test.each([
  ['http://h:1', 'ws://h:1'],
  ['https://h', 'wss://h'],
  ['ws://h', 'ws://h'],
  ['wss://h/prefix', 'wss://h/prefix'],
])('%s is reached at %s', (socketUrl, base) => {
  expect(opened(vi.fn(), { socketUrl }).url).toBe(
    `${base}/socket.io/?EIO=4&transport=websocket&tenantId=42`,
  );
});

test('the handshake says who is asking, and nothing can leave its place in it', () => {
  const website = { domain: 'a&b=ü', siteId: '7', url: '', token: 'never' };
  const { url } = opened(vi.fn(), { tenantId: 'x#?/', admin: true, website });
  expect(url.slice(url.indexOf('&tenantId'))).toBe(
    '&tenantId=x%23%3F%2F&role=admin&domain=a%26b%3D%C3%BC&siteId=7',
  );
});

test.each([
  ['42["one",{"a":1}]', 0, { a: 1 }],
  ['42["two","bare"]', 1, 'bare'],
  ['42["two",null]', 1, null],
  ['42["one",[1,"]"]]', 0, [1, ']']],
])('%s is an event', (frame, kind, value) => {
  expect(told(frame)).toEqual([[EVENT + kind, value]]);
});

test.each([
  '2',
  '40{"sid":"x"}',
  '42["one"]',
  '42["one",{"a":1},2]',
  '42["one",{"a":1}',
  '42["one",{"a":1}}',
  '42["one",{"a":1}]]',
  '42["one",]',
  '42["one", {"a":1}] ',
  '42 ["one",1]',
  '427["one",{"a":1}]',
  '42/other,["one",1]',
  '42["three",1]',
  '',
])('%s is for the core', (frame) => {
  expect(told(frame)).toEqual([[FRAME, frame]]);
});

test('a binary frame is nothing', () => {
  expect(told(new ArrayBuffer(1))).toEqual([]);
});

test('an address that is none opens nothing', () => {
  vi.stubGlobal('WebSocket', () => {
    throw new SyntaxError('no address');
  });
  expect(openSocket(config, 'one', vi.fn())).toBe(undefined);
});
