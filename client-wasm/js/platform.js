// The platform, in as few crossings as the core needs. Everything that decides anything is in Rust; this file calls the
// browser and reads shapes. It is JavaScript because bindings to each of these objects would weigh more than their use.

const PAGE_EVENTS = ['online', 'offline', 'visibilitychange', 'pagehide', 'pageshow'];

/** Calls `on` with the name of each page event; returns what ends that. Outside a page there are none. */
export function watchPage(on) {
  const listener = ({ type }) => on(type);
  const each = (method) => PAGE_EVENTS.forEach((kind) => globalThis[method]?.(kind, listener));
  each('addEventListener');
  return () => each('removeEventListener');
}

/**
 * Opens a WebSocket; throws if the address or the page's policy does not allow it. `on` is called with `open`, with
 * `message` and the frame, and with `close`. Returns what sends a text frame or, called without one, closes the socket,
 * after which `on` is not called.
 */
export function openSocket(url, on) {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => on('open');
  socket.onmessage = ({ data }) => on('message', data);
  socket.onclose = () => on('close');
  return (text) => {
    if (text !== undefined) return socket.send(text);
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  };
}

/**
 * Sends an HTTP request. Ends with `done(status, body)`, where the body is parsed JSON or `undefined`, or with
 * `done(0, timedOut)` if there was no answer.
 */
export function request(method, url, tenant, auth, body, timeout, done) {
  const headers = { 'X-Tenant-ID': tenant };
  if (auth?.token) headers.Authorization = `Bearer ${auth.token}`;
  if (auth?.visitorToken) headers['X-Visitor-Token'] = auth.visitorToken;
  if (body) headers['Content-Type'] = 'application/json';
  fetch(url, { method, headers, body, signal: AbortSignal.timeout(timeout) })
    .then(async (response) => [response.status, parse(await response.text(), 0)])
    .catch((error) => [0, error.name === 'TimeoutError'])
    .then((answer) => done(...answer));
}

/**
 * Calls `make`, which may throw or return a promise of credentials, and ends with `done(life, result)` or `done(0)`. The life is
 * for how many milliseconds a JWT among them is still good; what is none lasts.
 */
export function settle(make, done) {
  Promise.resolve()
    .then(make)
    .then(
      (result) => done(lifeOf(result?.token), result),
      () => done(0),
    );
}

function lifeOf(token) {
  const claims = token?.split('.')[1]?.replaceAll('-', '+').replaceAll('_', '/');
  try {
    return Math.max(JSON.parse(atob(claims)).exp * 1000 - Date.now(), 1) || 1e9;
  } catch {
    return 1e9;
  }
}

/** A promise with the two functions that settle it. */
export function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

/** Calls a function, if there is one. What the application throws is its own error, and must not stop the connection. */
export function call(callback, first, second) {
  try {
    callback?.(first, second);
  } catch (error) {
    (globalThis.reportError ?? console.error)(error);
  }
}

/** The JSON value in `text` from `start` on; `undefined` if there is none. */
export function parse(text, start) {
  try {
    return JSON.parse(text.slice(start));
  } catch {
    return undefined;
  }
}

/** Whether two values are the same as JSON. */
export const same = (one, two) => JSON.stringify(one) === JSON.stringify(two);

const text = (value) => (typeof value === 'string' ? value : undefined);

/** The user that `{ userId }` or the bare string names. */
export const userIdOf = (payload) => text(payload?.userId ?? payload);

/** The rows of `{ users: […] }` or of the bare array. */
export function rowsOf(payload) {
  const rows = payload?.users ?? payload;
  return Array.isArray(rows) ? rows.filter((row) => text(row?.userId)) : undefined;
}

/** The code of `{ code }`, or of `{ data: { code } }`. */
export const codeOf = (refusal) => text(refusal?.data?.code ?? refusal?.code);

/** The sentence of `{ error }` or `{ message }`. */
export const sentenceOf = (refusal) => text(refusal?.error ?? refusal?.message);

/** The JSON of an event's packet. */
export const event = (name, payload) => JSON.stringify([name, payload]);

/** An object of one field. */
export const object = (name, value) => ({ [name]: value });

/** The first characters of a text frame; `undefined` for a binary one. */
export const head = (frame, length) => text(frame)?.slice(0, length);
