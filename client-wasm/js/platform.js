// The platform, in as few crossings as the core needs. Everything that decides anything is in Rust; this file calls the
// browser and reads shapes. It is JavaScript because bindings to each of these objects would weigh more than their use.
//
// What the core is called for is named by a number, see `src/ops.rs`.
const OPEN = 1;
const CLOSED = 2;
const FRAME = 3;
const OFFLINE = 4;
const WAKE = 5;
const LEFT = 6;
const SHOWN = 7;
const EVENT = 8;

const PAGE_EVENTS = {
  online: WAKE,
  offline: OFFLINE,
  visibilitychange: WAKE,
  pagehide: LEFT,
  pageshow: SHOWN,
};

let time = 0;
let wall = Date.now();

/**
 * The time in milliseconds. It goes on while the machine sleeps, as only the wall clock does; that one may also be set, so
 * its steps back do not count.
 */
export function now() {
  const before = wall;
  wall = Date.now();
  return (time += Math.max(wall - before, 0));
}

/** Calls `on` at each page event; returns what ends that. Outside a page there are none. */
export function watchPage(on) {
  const listener = ({ type }) => on(PAGE_EVENTS[type]);
  const each = (method) =>
    Object.keys(PAGE_EVENTS).forEach((kind) => globalThis[method]?.(kind, listener));
  each('addEventListener');
  return () => each('removeEventListener');
}

/**
 * Opens a WebSocket. Returns what sends a text frame, which asks for the namespace if `joins` is 1, or, called without one,
 * closes the socket, after which `on` is not called; returns nothing if the address or the page's policy does not allow
 * the socket.
 *
 * Most frames are events, and the plain form of those is all that is known of the protocol here: a frame that is
 * `42["name",…]` to the letter, with one of `names`, separated by spaces, and one value, is told as that event and its
 * value. Whatever else comes is the core's to read.
 */
export function openSocket(config, names, on) {
  try {
    const heads = names.split(' ').map((name) => `42["${name}",`);
    const socket = new (config.settings().WebSocket ?? WebSocket)(socketUrl(config));
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => on(OPEN);
    socket.onmessage = ({ data }) => {
      // Binary frames carry nothing of ours.
      if (typeof data !== 'string') return;
      for (let kind = 0; kind < heads.length; kind++) {
        if (data.startsWith(heads[kind]) && data.endsWith(']')) {
          const value = parse(data.slice(heads[kind].length, -1));
          if (value !== undefined) return on(EVENT + kind, value);
        }
      }
      on(FRAME, data);
    };
    // One that the page's policy forbids has an error and no end in Chromium.
    socket.onerror = socket.onclose = () => on(CLOSED);
    return (joins, text) => {
      // Whoever joins tells all there is to tell, as it is now.
      if (joins) text = '40' + stringify({ ...read(text, 2), ...config.about?.() });
      if (text !== undefined) return socket.send(text);
      // Outside a page an error that nobody listens for ends the program.
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = () => {};
      socket.close();
    };
  } catch {}
}

const WEBSITE = ['domain', 'origin', 'url', 'referrer', 'siteId'];

/** Where to connect to, the whole handshake in the query. No credential is ever part of it: URLs end up in logs. */
function socketUrl({ socketUrl, tenantId, admin, website }) {
  const query = new URLSearchParams({ EIO: 4, transport: 'websocket', tenantId });
  if (admin) query.set('role', 'admin');
  for (const name of WEBSITE) if (website[name]) query.set(name, website[name]);
  // `https` keeps its `s`.
  return `${socketUrl.replace(/^http/, 'ws')}/socket.io/?${query}`;
}

/**
 * Sends an HTTP request with fresh credentials: the payload as the body of a `POST`, or in the query of a `GET`, which names the
 * tenant, too. Ends with `done(status, body)`, where the body is parsed JSON or `undefined`, or with `done(0, { code })` if there
 * was no answer. Where tokens are refused that the application makes, it is asked for another once.
 */
export async function request(config, posts, path, payload, done, again) {
  const late = AbortSignal.timeout(config.settings().requestTimeout ?? 15000);
  // An application that never answers would keep the request under way, and what waits for it, for ever.
  const givenUp = new Promise((_, giveUp) => (late.onabort = giveUp));
  const auth = await settled(() => Promise.race([config.credentials(), givenUp]));
  const answer = auth
    ? await send(config, posts, path, payload, auth, late)
    : [0, { code: 'TOKEN_UNAVAILABLE' }];
  if (answer[0] === 401 && !again && config.settings().getToken) {
    return request(config, posts, path, payload, done, true);
  }
  done(...answer);
}

export async function send({ apiUrl, tenantId, signal }, posts, path, payload, auth, late) {
  const headers = { 'X-Tenant-ID': tenantId };
  if (auth.token) headers.Authorization = `Bearer ${auth.token}`;
  if (auth.visitorToken) headers['X-Visitor-Token'] = auth.visitorToken;
  if (posts) headers['Content-Type'] = 'application/json';
  try {
    // A payload may name its path beside what is asked there.
    const { path: _, ...asked } = { tenantId, ...payload };
    const query = posts ? '' : `?${new URLSearchParams(asked)}`;
    const response = await fetch(apiUrl + path + query, {
      method: posts ? 'POST' : 'GET',
      headers,
      body: posts ? JSON.stringify(payload) : undefined,
      // A browser that cannot join the two lets a request that is given up run on, unheard.
      signal: (signal && AbortSignal.any?.([signal, late])) ?? late,
    });
    return [response.status, parse(await response.text())];
  } catch {
    return [0, { code: late.aborted ? 'TIMEOUT' : 'NETWORK_ERROR' }];
  }
}

/**
 * Asks for credentials, and ends with `done(life, credentials)` or, if they cannot be had, with `done(0)`. The life is for how
 * many milliseconds a JWT among them is still good; what is none is good for days.
 */
export async function authenticate({ credentials }, done) {
  const auth = await settled(credentials);
  done(auth ? lifeOf(auth.token) : 0, auth);
}

/** What `make` makes, or `undefined` if it throws or rejects. It is called in a turn of its own: it is the application's. */
const settled = (make) =>
  Promise.resolve()
    .then(make)
    .catch(() => {});

function lifeOf(token) {
  const claims = token?.split('.')[1];
  try {
    if (claims) {
      const { exp } = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/')));
      return Math.max(exp * 1000 - Date.now(), 1) || 1e9;
    }
  } catch {}
  return 1e9;
}

/** A promise and what settles it. */
export function deferred() {
  const made = {};
  made.promise = new Promise((...both) => (made.both = both));
  return made;
}

/** The promise, by whose number it can be given up. */
export const promise = (made, number) => Object.assign(made.promise, { number });

/** Resolves what `deferred` made, or rejects it. */
export const decide = (made, rejects, value) => made.both[rejects](value);

/** Calls a function, if there is one. What the application throws is its own error, and must not stop the connection. */
export function call(callback, what, value) {
  try {
    callback?.(what, value);
  } catch (error) {
    (globalThis.reportError ?? console.error)(error);
  }
}

/** The JSON value in a text; `undefined` if there is none. */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {}
}

/** The JSON value in a frame from `start` on; `undefined` if there is none. */
export const read = (frame, start) => parse(frame.slice(start));

export const text = (value) => (typeof value === 'string' ? value : undefined);

/** The code of `{ code }`, or of `{ data: { code } }`. */
export const codeOf = (refusal) => text(refusal?.data?.code ?? refusal?.code);

/** The error for a refusal with that code or sentence, or with those given where it has none. */
export const fail = (config, refusal, code, sentence, status) =>
  config.fail(
    codeOf(refusal) ?? code,
    text(refusal?.error ?? refusal?.message) ?? sentence,
    status || undefined,
  );

/** The JSON of an event's packet. Not of a list that is made for it: old libraries have lists write themselves as something else. */
export const event = (name, payload) => `["${name}",${JSON.stringify(payload)}]`;

/** What the list of online users is asked for with; the numbers are negative if no moment is named. */
export const listRequest = ({ tenantId }, epoch, version) =>
  epoch < 0 ? { tenantId } : { tenantId, epoch, version };

/** The JSON of an object, with the kind of presence that it asks for, unless that is 0. */
export const stringify = (value, presence) =>
  JSON.stringify(presence ? { ...value, presence } : value);

/** A number, or what is not one. */
export const toNumber = (value) => (typeof value === 'number' ? value : NaN);

/** The first characters of a frame. */
export const head = (frame, length) => frame.slice(0, length);
