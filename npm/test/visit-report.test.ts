// @vitest-environment happy-dom
/** What a conversation tells the server of a visit: all of it at each connect, and each change once. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  configure,
  type Conversation,
  createConversation,
  type Visit,
  type VisitSnapshot,
} from '../lib/index.js';
import { SocketEvent } from '../lib/ops.js';
import { appears, core, fresh, settled } from './support.js';

const open: Conversation[] = [];

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example' });
});

afterEach(async () => {
  vi.useRealTimers();
  open.splice(0).forEach((conversation) => conversation.close());
  await settled();
});

const START: VisitSnapshot = {
  url: 'https://shop.example/a',
  title: 'A',
  referrer: undefined,
  firstPage: 'https://shop.example/a',
  startedAt: Date.now() - 5000,
  visits: 2,
  idleSince: null,
};

/** A visit that goes where the test says. */
function journey() {
  let snapshot = START;
  const listeners = new Set<() => void>();
  const visit: Visit = {
    getSnapshot: () => snapshot,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => listeners.clear(),
  };
  const become = (change: Partial<VisitSnapshot>) => {
    snapshot = { ...snapshot, ...change };
    listeners.forEach((listener) => listener());
  };
  return { visit, become, listeners };
}

async function connecting() {
  const trip = journey();
  const store = createConversation('42', { visit: trip.visit });
  open.push(store);
  store.subscribe(() => {});
  const made = await appears(() => core.sockets[0]);
  return { ...trip, store, made };
}

test('the handshake says what is known at that moment', async () => {
  const { made, become } = await connecting();
  expect(await made.handshake()).toMatchObject({
    visitorId: expect.any(String),
    visit: { url: START.url, title: 'A', firstPage: START.firstPage, visits: 2 },
  });
  become({ url: 'https://shop.example/b', idleSince: Date.now() - 1000 });
  const { visit } = await made.handshake();
  expect(visit).toMatchObject({ url: 'https://shop.example/b', idle: expect.any(Number) });
  expect((visit as { elapsed: number }).elapsed).toBeGreaterThanOrEqual(5000);
});

test('nothing of the visit is among what proves who comes', async () => {
  const { made, become } = await connecting();
  const shown = await made.config.credentials();
  expect(shown).not.toHaveProperty('visit');
  become({ url: 'https://shop.example/b', idleSince: Date.now() - 1000 });
  expect(await made.config.credentials()).toEqual(shown);
});

test('the address of the socket says no more of the page than the visit does', async () => {
  const { made, become } = await connecting();
  expect(made.config.website).toMatchObject({ url: START.url, referrer: '' });
  become({ url: 'https://shop.example/b', referrer: 'https://r.example/' });
  expect(made.config.website).toMatchObject({
    url: 'https://shop.example/b',
    referrer: 'https://r.example/',
  });
});

test('without a visit nothing is said of one', async () => {
  const store = createConversation('42');
  open.push(store);
  store.subscribe(() => {});
  const made = await appears(() => core.sockets[0]);
  expect(await made.handshake()).not.toHaveProperty('visit');
});

test('while it is connected, each change is told once, and nothing else', async () => {
  const { made, become } = await connecting();
  await made.handshake();
  made.emit(SocketEvent.Connected);
  expect(made.reports).toEqual([]);
  become({ url: 'https://shop.example/b', title: 'B' });
  become({ idleSince: Date.now() });
  become({ idleSince: null });
  expect(made.reports).toEqual([
    { url: 'https://shop.example/b', title: 'B' },
    { idle: expect.any(Number) },
    {},
  ]);
});

test('what changes between handshake and connection is told when it is up', async () => {
  const { made, become } = await connecting();
  await made.handshake();
  become({ title: 'B' });
  expect(made.reports).toEqual([]);
  made.emit(SocketEvent.Connected);
  expect(made.reports).toEqual([{ title: 'B' }]);
});

test('what changes while it is away is said by the next handshake, and not again', async () => {
  const { made, become } = await connecting();
  await made.handshake();
  made.emit(SocketEvent.Connected);
  made.emit(SocketEvent.Disconnected, 'transport close');
  become({ title: 'B' });
  await made.handshake();
  made.emit(SocketEvent.Connected);
  expect(made.reports).toEqual([]);
});

test('a connection that replaces another says all, and is told what changes before it is up', async () => {
  const { made, become } = await connecting();
  await made.handshake();
  made.emit(SocketEvent.Connected);
  // The next one is made as soon as its token is there.
  await made.config.credentials();
  become({ title: 'B' });
  made.emit(SocketEvent.Disconnected, 'replaced');
  await made.handshake();
  become({ title: 'C' });
  made.emit(SocketEvent.Connected);
  expect(made.reports).toEqual([{ title: 'B' }, { title: 'C' }]);
});

test('a conversation that is over listens no more', async () => {
  const { store, listeners } = await connecting();
  expect(listeners.size).toBe(1);
  store.close();
  await settled();
  expect(listeners.size).toBe(0);
});

test('staff are no visitors', async () => {
  const { visit } = journey();
  const store = createConversation('42', { sessionId: 's', visit });
  open.push(store);
  store.subscribe(() => {});
  const made = await appears(() => core.sockets[0]);
  expect(await made.handshake()).not.toHaveProperty('visit');
});
