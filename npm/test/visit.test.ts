// @vitest-environment happy-dom
/** `followVisit` in a page: what it hears, what it keeps, and that nothing of it stays. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { followVisit, type Visit } from '../lib/index.js';

const KEY = 'amoiq-chat-visit';
const open: Visit[] = [];

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
  localStorage.clear();
  // Of two that wrapped it, the first to end leaves its wrapper.
  delete (history as Partial<History>).pushState;
  document.title = 'Home';
  history.replaceState(null, '', '/home?token=1');
});

afterEach(async () => {
  open.splice(0).forEach((visit) => visit.close());
  vi.useRealTimers();
});

function follow(options?: Parameters<typeof followVisit>[0]) {
  const visit = followVisit(options);
  open.push(visit);
  const listener = vi.fn();
  visit.subscribe(listener);
  return { visit, listener };
}

const address = (path: string) => location.origin + path;
/** Observers of the document hear in a turn of their own. */
const later = (millis: number) => vi.advanceTimersByTimeAsync(millis);
const look = (isHidden: boolean) => {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(isHidden);
  document.dispatchEvent(new Event('visibilitychange'));
};

test('a page that goes on by itself is told once, with its title', async () => {
  const { visit, listener } = follow();
  expect(visit.getSnapshot()).toMatchObject({ url: address('/home'), title: 'Home', visits: 1 });
  history.pushState(null, '', '/cart?token=2');
  await later(100);
  document.title = 'Cart';
  await later(2000);
  expect(listener).toHaveBeenCalledTimes(1);
  expect(visit.getSnapshot()).toMatchObject({
    url: address('/cart'),
    title: 'Cart',
    firstPage: address('/home'),
  });
});

test('the Navigation API is listened to where there is one', async () => {
  const navigation = new EventTarget();
  vi.stubGlobal('navigation', navigation);
  const pushState = history.pushState;
  const { visit, listener } = follow();
  expect(history.pushState).toBe(pushState);
  history.pushState(null, '', '/next');
  navigation.dispatchEvent(new Event('currententrychange'));
  await later(1000);
  expect(visit.getSnapshot().url).toBe(address('/next'));
  visit.close();
  listener.mockClear();
  history.pushState(null, '', '/after');
  navigation.dispatchEvent(new Event('currententrychange'));
  await later(1000);
  expect(listener).not.toHaveBeenCalled();
});

test('going back is told, and a fragment where full addresses are', async () => {
  const { visit } = follow({ fullUrls: true });
  history.replaceState(null, '', '/back');
  window.dispatchEvent(new Event('popstate'));
  await later(1000);
  expect(visit.getSnapshot().url).toBe(address('/back'));
  history.replaceState(null, '', '/back?a=1#b');
  window.dispatchEvent(new Event('hashchange'));
  await later(1000);
  expect(visit.getSnapshot().url).toBe(address('/back?a=1#b'));
});

test('the title is that of the head that the page has made meanwhile', async () => {
  const { visit } = follow();
  const former = document.head;
  const head = document.createElement('head');
  former.replaceWith(head);
  history.pushState(null, '', '/cart');
  await later(100);
  document.title = 'Cart';
  await later(2000);
  expect(visit.getSnapshot()).toMatchObject({ url: address('/cart'), title: 'Cart' });
  head.replaceWith(former);
});

test('no timer runs while the visitor is idle, and whatever they do makes them active at once', async () => {
  const { visit, listener } = follow();
  await later(60_000);
  expect(visit.getSnapshot().idleSince).toBe(1_700_000_000_000);
  expect(vi.getTimerCount()).toBe(0);
  await later(60_000);
  document.body.dispatchEvent(new Event('keydown', { bubbles: true }));
  expect(visit.getSnapshot().idleSince).toBeNull();
  expect(listener).toHaveBeenCalledTimes(2);
  await later(30_000);
  // Of the keys that are kept from the page only what they write is told.
  document.body.dispatchEvent(new Event('input', { bubbles: true }));
  await later(40_000);
  expect(listener).toHaveBeenCalledTimes(2);
  document.body.dispatchEvent(new Event('pointermove', { bubbles: true }));
  await later(59_000);
  expect(visit.getSnapshot().idleSince).toBeNull();
  await later(1000);
  expect(visit.getSnapshot().idleSince).not.toBeNull();
});

test('a page out of sight is idle soon', async () => {
  const { visit } = follow();
  look(true);
  await later(10_000);
  expect(visit.getSnapshot().idleSince).not.toBeNull();
  look(false);
  expect(visit.getSnapshot().idleSince).toBeNull();
});

test('the focus of the window is told, that of a field is not', () => {
  const { listener } = follow();
  const field = document.body.appendChild(document.createElement('input'));
  field.dispatchEvent(new Event('focus'));
  expect(listener).not.toHaveBeenCalled();
  window.dispatchEvent(new Event('focus'));
  expect(listener).toHaveBeenCalledTimes(1);
  field.remove();
});

test('another page of the site is part of the same visit, and so is another tab that knows more', async () => {
  const first = follow().visit;
  await later(5000);
  expect(follow().visit.getSnapshot().startedAt).toBe(first.getSnapshot().startedAt);
  const record = { ...JSON.parse(localStorage.getItem(KEY) ?? ''), visits: 4, startedAt: 5 };
  localStorage.setItem(KEY, JSON.stringify(record));
  const event = Object.assign(new Event('storage'), { key: KEY });
  window.dispatchEvent(event);
  expect(first.getSnapshot()).toMatchObject({ visits: 4, startedAt: 5 });
});

test('what is done is written down now and then', async () => {
  const written = vi.fn();
  const kept = () => (written.mock.lastCall?.[1] as string | undefined) ?? null;
  vi.stubGlobal('localStorage', { getItem: kept, setItem: written, clear() {} });
  follow();
  for (let second = 0; second < 120; second += 1) {
    await later(1000);
    document.body.dispatchEvent(new Event('pointermove', { bubbles: true }));
  }
  expect(written.mock.calls.length).toBeGreaterThan(1);
  expect(written.mock.calls.length).toBeLessThanOrEqual(5);
});

test('without storage there is a visit all the same', () => {
  const denied = () => {
    throw new Error('denied');
  };
  vi.stubGlobal('localStorage', { getItem: denied, setItem: denied, clear() {} });
  expect(follow().visit.getSnapshot()).toMatchObject({ visits: expect.any(Number) });
});

test('after its end nothing is left in the page', async () => {
  const added = vi.spyOn(EventTarget.prototype, 'addEventListener');
  const removed = vi.spyOn(EventTarget.prototype, 'removeEventListener');
  const pushState = history.pushState;
  const { visit, listener } = follow();
  expect(history.pushState).not.toBe(pushState);
  const before = visit.getSnapshot();
  visit.close();
  expect(history.pushState).toBe(pushState);
  expect(Object.hasOwn(history, 'pushState')).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
  expect(removed.mock.calls.map(([type]) => type)).toEqual(added.mock.calls.map(([type]) => type));
  history.pushState(null, '', '/other');
  document.title = 'Other';
  window.dispatchEvent(new Event('focus'));
  await later(100_000);
  expect(listener).not.toHaveBeenCalled();
  expect(visit.getSnapshot()).toBe(before);
});

test('others who wrap the history, before or after, are still called', () => {
  const others: string[] = [];
  const wrap = (name: string) => {
    const before = history.pushState;
    history.pushState = function (...change) {
      others.push(name);
      before.apply(this, change);
    };
  };
  wrap('before');
  const { visit } = follow();
  wrap('after');
  visit.close();
  history.pushState(null, '', '/wrapped');
  expect(others).toEqual(['after', 'before']);
  expect(location.pathname).toBe('/wrapped');
  delete (history as Partial<History>).pushState;
});

test('what a page throws when it is asked to go on is the page’s', () => {
  const { listener } = follow();
  const refused = () => history.pushState(null, '', 'https://other.example/');
  expect(refused).toThrow();
  expect(listener).not.toHaveBeenCalled();
});
