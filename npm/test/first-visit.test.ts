// @vitest-environment happy-dom
/** The first visit in several tabs at once is one visitor's. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const TENANT = '42';
const ISSUED = `amoiq-chat-visitor${TENANT}`;

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Another tab: its memory is its own, its storage is the site's. */
async function tab() {
  vi.resetModules();
  const { firstTurn } = await import('../lib/first-visit.js');
  const { configure } = await import('../lib/config.js');
  const { keepToken } = await import('../lib/page.js');
  const begin = () => {
    const turn = { has: false, end: () => {} };
    void firstTurn(TENANT).then((end) => Object.assign(turn, { has: true, end }));
    return turn;
  };
  const keep = () => {
    keepToken(TENANT, { token: 'visitor.abc' });
    const event = Object.assign(new Event('storage'), { key: ISSUED });
    window.dispatchEvent(event);
  };
  return { begin, keep, configure };
}

/** Locks as a browser has them, but only of one page. */
function withLocks() {
  let queue = Promise.resolve();
  const request = vi.fn(
    (_name: string, { signal }: { signal: AbortSignal }, run: () => Promise<void> | void) => {
      const granted = queue.then(() => (signal.aborted ? undefined : run()));
      queue = granted.then(() => {});
      return Promise.race([
        granted,
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      ]);
    },
  );
  vi.stubGlobal('navigator', { locks: { request } });
  // Its own timer is not one that a test drives.
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((millis) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('too late')), millis);
    return controller.signal;
  });
  return request;
}

const later = (millis: number) => vi.advanceTimersByTimeAsync(millis);

test.each([
  ['with locks', true],
  ['without', false],
])('the second tab waits until the first has its token: %s', async (_, locks) => {
  if (locks) {
    withLocks();
  }
  const one = await tab();
  const first = one.begin();
  await later(0);
  expect(first.has).toBe(true);
  const second = (await tab()).begin();
  await later(1000);
  expect(second.has).toBe(false);
  one.keep();
  first.end();
  await later(500);
  expect(second.has).toBe(true);
});

test.each([
  ['with locks', true],
  ['without', false],
])('nobody waits for long: %s', async (_, locks) => {
  if (locks) {
    withLocks();
  }
  (await tab()).begin();
  await later(0);
  const second = (await tab()).begin();
  await later(3900);
  expect(second.has).toBe(false);
  await later(200);
  expect(second.has).toBe(true);
});

test('who is known already waits for nobody', async () => {
  const request = withLocks();
  const known = await tab();
  known.keep();
  const turn = known.begin();
  await later(0);
  expect(turn.has).toBe(true);
  localStorage.clear();
  const user = await tab();
  user.configure({ getToken: () => 'token' });
  const other = user.begin();
  await later(0);
  expect(other.has).toBe(true);
  expect(request).not.toHaveBeenCalled();
});

test('a page without storage or locks connects at once, again and again', async () => {
  const denied = () => {
    throw new Error('denied');
  };
  vi.stubGlobal('localStorage', { getItem: denied, setItem: denied });
  const here = await tab();
  for (const turn of [here.begin(), here.begin()]) {
    await later(0);
    expect(turn.has).toBe(true);
  }
});

test('a page that was loaded anew after its connection waits for nobody', async () => {
  const first = (await tab()).begin();
  await later(0);
  first.end();
  await later(500);
  const again = (await tab()).begin();
  await later(0);
  expect(again.has).toBe(true);
});
