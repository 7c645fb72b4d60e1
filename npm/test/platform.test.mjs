// @vitest-environment node
/** The platform's side of a connection: where it goes, what it shows, and what time it is. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { askAhead, requestUsers } from '../../client-wasm/js/ahead.js';
import {
  authenticate,
  now,
  openSocket,
  request,
  watchPage,
} from '../../client-wasm/js/platform.js';

afterEach(() => {
  vi.useRealTimers();
});

const config = (fields = {}) => ({
  socketUrl: 'https://h/prefix',
  apiUrl: 'https://h',
  tenantId: 'x&b=1',
  website: {},
  credentials: () => ({ token: 'key' }),
  settings: () => ({}),
  ...fields,
});

test('a connection goes where it was given, and takes a WebSocket that was given', () => {
  const addresses = [];
  class Given {
    constructor(url) {
      addresses.push(url);
    }
  }
  const settings = () => ({ WebSocket: Given });
  openSocket(config({ settings }), 'one', () => {});
  const website = { domain: 'a b', url: 'https://s/?q=ü&r#f', origin: undefined, siteId: '7' };
  openSocket(config({ settings, website, admin: true, socketUrl: 'ws://h' }), 'one', () => {});
  expect(addresses).toEqual([
    'wss://h/prefix/socket.io/?EIO=4&transport=websocket&tenantId=x%26b%3D1',
    'ws://h/socket.io/?EIO=4&transport=websocket&tenantId=x%26b%3D1&role=admin&domain=a+b' +
      '&url=https%3A%2F%2Fs%2F%3Fq%3D%C3%BC%26r%23f&siteId=7',
  ]);
});

test('whoever joins says what there is to say at that moment, and no other frame does', () => {
  const frames = [];
  class Given {
    send(frame) {
      frames.push(frame);
    }
  }
  let elapsed = 0;
  const about = () => ({ visit: { elapsed: (elapsed += 1) } });
  const settings = () => ({ WebSocket: Given });
  const send = openSocket(config({ settings, about }), 'one', () => {});
  send(1, '40{"token":"\u00e9\\""}');
  send(0, '42["message",{}]');
  send(1, '40{"token":"\u00e9\\""}');
  openSocket(config({ settings }), 'one', () => {})(1, '40{"token":"t"}');
  expect(frames).toEqual([
    '40{"token":"é\\"","visit":{"elapsed":1}}',
    '42["message",{}]',
    '40{"token":"é\\"","visit":{"elapsed":2}}',
    '40{"token":"t"}',
  ]);
});

test('a socket that has an error has ended, and whatever it has once it is closed is nobody’s', () => {
  const made = [];
  class Given {
    constructor() {
      made.push(this);
    }
    close() {}
  }
  const on = vi.fn();
  const close = openSocket(config({ settings: () => ({ WebSocket: Given }) }), 'one', on);
  const [socket] = made;
  // One that the page’s policy forbids has no other end in Chromium.
  socket.onerror({});
  expect(on.mock.calls).toEqual([[2]]);
  close(0);
  // Outside a page an error that nobody listens for ends the program.
  for (const end of ['onerror', 'onclose', 'onopen']) socket[end]({});
  socket.onmessage({ data: '2' });
  expect(on).toHaveBeenCalledTimes(1);
});

test('an address that is none opens nothing', () => {
  class Strict {
    constructor() {
      throw new SyntaxError('no address');
    }
  }
  expect(openSocket(config({ settings: () => ({ WebSocket: Strict }) }), '', () => {})).toBeUndefined();
});

test('each of the page events has its number, until they are no longer watched', () => {
  const target = new EventTarget();
  vi.stubGlobal('addEventListener', target.addEventListener.bind(target));
  vi.stubGlobal('removeEventListener', target.removeEventListener.bind(target));
  const on = vi.fn();
  const stop = watchPage(on);
  const events = ['online', 'offline', 'visibilitychange', 'pagehide', 'pageshow'];
  for (const type of events) target.dispatchEvent(new Event(type));
  expect(on.mock.calls).toEqual([[5], [4], [5], [6], [7]]);
  stop();
  for (const type of events) target.dispatchEvent(new Event(type));
  expect(on).toHaveBeenCalledTimes(events.length);
});

test('time goes on through a sleep, and not back when the clock is set', () => {
  vi.useFakeTimers();
  const start = now();
  vi.setSystemTime(Date.now() + 3_600_000);
  expect(now() - start).toBe(3_600_000);
  vi.setSystemTime(Date.now() - 7_200_000);
  expect(now() - start).toBe(3_600_000);
  vi.setSystemTime(Date.now() + 10);
  expect(now() - start).toBe(3_600_010);
});

/** What the core is told of credentials. */
const life = (credentials) =>
  new Promise((resolve) => authenticate(config({ credentials }), (...told) => resolve(told)));

const jwt = (claims) => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;

test('a JWT lives until its exp, and everything else for days', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 });
  const exp = 1_700_000_060;
  const auth = { token: jwt({ sub: 'ü?>', exp }) };
  expect(await life(() => auth)).toEqual([60_000, auth]);
  expect((await life(() => ({ token: jwt({ exp: 1 }) })))[0]).toBe(1);
  for (const token of [undefined, 'key', 'a.b.c', jwt({}), jwt({ exp: 'soon' }), jwt(null)]) {
    expect((await life(async () => ({ token })))[0], token).toBe(1e9);
  }
});

test('credentials that cannot be had have no life', async () => {
  const thrown = () => {
    throw new Error('away');
  };
  expect(await life(thrown)).toEqual([0, undefined]);
  expect(await life(() => Promise.reject(new Error('away')))).toEqual([0, undefined]);
});

const asked = [];
let answers = [];

beforeEach(() => {
  asked.length = 0;
  vi.stubGlobal('fetch', async (url, { headers, signal }) => {
    asked.push(headers.Authorization);
    const answer = answers.shift();
    if (answer) return new Response('{"users":[]}', { status: answer });
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  });
});

/** What a request comes to. */
const send = (fields, posts = 0, payload) =>
  new Promise((resolve) =>
    request(config(fields), posts, '/list', payload, (...told) => resolve(told)),
  );

test('what a request says goes in the query, from which no value escapes, or in the body', async () => {
  const sent = [];
  vi.stubGlobal('fetch', async (url, { method, headers, body }) => {
    sent.push([method, url, headers['Content-Type'], body]);
    return new Response('{}');
  });
  await send();
  await send({}, 0, { sessionId: '1#?/ \u00e9', version: 120 });
  await send({}, 1, { text: 'hi', sessionId: undefined });
  expect(sent).toEqual([
    ['GET', 'https://h/list?tenantId=x%26b%3D1', undefined, undefined],
    [
      'GET',
      'https://h/list?tenantId=x%26b%3D1&sessionId=1%23%3F%2F+%C3%A9&version=120',
      undefined,
      undefined,
    ],
    ['POST', 'https://h/list', 'application/json', '{"text":"hi"}'],
  ]);
});

test('a token that is refused is replaced once, if the application makes tokens', async () => {
  let made = 0;
  const fields = {
    credentials: () => ({ token: `t${(made += 1)}` }),
    settings: () => ({ getToken: () => {} }),
  };
  answers = [401, 200];
  expect(await send(fields)).toEqual([200, { users: [] }]);
  expect(asked).toEqual(['Bearer t1', 'Bearer t2']);
  answers = [401, 401];
  expect((await send(fields))[0]).toBe(401);
  expect(asked).toHaveLength(4);
  answers = [401];
  expect((await send())[0]).toBe(401);
  expect(asked).toHaveLength(5);
});

test('what has no answer says why', async () => {
  answers = [];
  expect(await send({ settings: () => ({ requestTimeout: 1 }) })).toEqual([0, { code: 'TIMEOUT' }]);
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('refused')));
  expect(await send()).toEqual([0, { code: 'NETWORK_ERROR' }]);
  const credentials = () => Promise.reject(new Error('away'));
  expect(await send({ credentials })).toEqual([0, { code: 'TOKEN_UNAVAILABLE' }]);
});

test('an application that never comes up with credentials does not hold up a request for ever', async () => {
  const credentials = () => new Promise(() => {});
  const settings = () => ({ requestTimeout: 1 });
  expect(await send({ credentials, settings })).toEqual([0, { code: 'TOKEN_UNAVAILABLE' }]);
  expect(asked).toEqual([]);
});

test('what was asked ahead answers the first request for the list, and no other', async () => {
  const sent = [];
  vi.stubGlobal('fetch', async (url, { headers }) => {
    sent.push([url, headers.Authorization]);
    return new Response(`{"users":[],"version":${sent.length}}`);
  });
  const settings = config();
  askAhead(settings, { token: 'early' });
  const list = 'https://h/api/chat/online-users?tenantId=x%26b%3D1&epoch=0&version=0';
  // It has left: whoever asks ahead waits for nothing.
  expect(sent).toEqual([[list, 'Bearer early']]);
  const ask = () =>
    new Promise((resolve) => requestUsers(settings, { epoch: 7 }, (...told) => resolve(told)));
  expect(await ask()).toEqual([200, { users: [], version: 1 }]);
  expect(await ask()).toEqual([200, { users: [], version: 2 }]);
  const later = 'https://h/api/chat/online-users?tenantId=x%26b%3D1&epoch=7';
  expect(sent.slice(1)).toEqual([[later, 'Bearer key']]);
});

test('what was asked ahead fails as any request does', async () => {
  answers = [];
  const settings = config({ settings: () => ({ requestTimeout: 1 }) });
  askAhead(settings, {});
  const answer = new Promise((resolve) =>
    requestUsers(settings, {}, (...told) => resolve(told)),
  );
  expect(await answer).toEqual([0, { code: 'TIMEOUT' }]);
  expect(asked).toEqual([undefined]);
});

test('a request that is given up is taken off the network', async () => {
  answers = [];
  const controller = new AbortController();
  const given = send({ signal: controller.signal });
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  controller.abort();
  expect((await given)[0]).toBe(0);
});
