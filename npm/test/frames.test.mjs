// @vitest-environment node
/** Which frames the platform reads by itself: plain events to the letter, nothing else. */
import { expect, test, vi } from 'vitest';
import { openSocket } from '../../client-wasm/js/platform.js';

const [FRAME, EVENT] = [3, 6];

/** What a socket's frame is told as. */
function told(frame) {
  let socket;
  vi.stubGlobal(
    'WebSocket',
    class {
      constructor() {
        socket = this;
      }
    },
  );
  const on = vi.fn();
  openSocket('ws://h', 'one two', on);
  socket.onmessage({ data: frame });
  return on.mock.calls;
}

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
  expect(openSocket('nonsense', 'one', vi.fn())).toBe(undefined);
});
