// @vitest-environment node
/** A visit as a state machine: what is told of it and when, whatever happens to the page and to the clock. */
import { expect, test } from 'vitest';
import { merged, readRecord, touched, VISIT_GAP, type VisitRecord } from '../lib/visit/record.js';
import * as tracks from '../lib/visit/track.js';
import { visitAuth, visitReport } from '../lib/visit/wire.js';
import { Random } from './random.js';

const T = 1_700_000_000_000;

const opening: tracks.Opening = {
  url: 'https://shop.example/a?token=secret#part',
  title: 'A',
  referrer: 'https://search.example/?q=shoes',
  fullUrls: false,
  isHidden: false,
};

const open = (change: Partial<tracks.Opening> = {}, stored = '', now = T) =>
  tracks.opened({ ...opening, ...change }, stored, now);
const goTo = (track: tracks.Track, path: string, title: string, now: number) =>
  tracks.navigated(track, { url: `https://shop.example${path}`, title }, now);

test('a first visit begins with the page, without query and fragment', () => {
  expect(open().snapshot).toEqual({
    url: 'https://shop.example/a',
    title: 'A',
    referrer: 'https://search.example/',
    firstPage: 'https://shop.example/a',
    startedAt: T,
    visits: 1,
    idleSince: null,
  });
  expect(open({ fullUrls: true }).snapshot).toMatchObject({
    url: opening.url,
    firstPage: opening.url,
    referrer: opening.referrer,
  });
});

test('no address and no title is longer than a server takes', () => {
  const long = 'x'.repeat(100_000);
  const change = { url: opening.url + long, referrer: opening.referrer + long, title: long };
  const { snapshot } = open({ ...change, fullUrls: true });
  expect(JSON.stringify(snapshot).length).toBeLessThan(8000);
});

test('a title is cut between characters, and what is half of one is none', () => {
  const smile = '\u{1f600}';
  const { title } = open({ title: `${'x'.repeat(255)}${smile}` }).snapshot;
  expect(title).toBe('x'.repeat(255));
  expect(open({ title: `${smile[0]}a${smile}${smile[1]}b` }).snapshot.title).toBe(`a${smile}b`);
});

test('a page of the same site is no referrer', () => {
  expect(open({ referrer: 'https://shop.example/before' }).snapshot.referrer).toBeUndefined();
  expect(open({ referrer: '' }).snapshot.referrer).toBeUndefined();
});

test('a visit goes on in the next page and ends after half an hour without anything', () => {
  const stored = JSON.stringify(open().record);
  const next = open({ url: 'https://shop.example/b', referrer: '' }, stored, T + VISIT_GAP - 1);
  expect(next.snapshot).toMatchObject({
    url: 'https://shop.example/b',
    firstPage: 'https://shop.example/a',
    referrer: 'https://search.example/',
    startedAt: T,
    visits: 1,
  });
  const later = open({ url: 'https://shop.example/c', referrer: '' }, stored, T + VISIT_GAP);
  expect(later.snapshot).toMatchObject({
    firstPage: 'https://shop.example/c',
    referrer: undefined,
    startedAt: T + VISIT_GAP,
    visits: 2,
  });
});

test.each([
  ['is no JSON', 'null and void'],
  ['is nothing', 'null'],
  ['has no page', { firstPage: undefined }],
  ['has a time that is none', { lastAt: 'now' }],
  ['has a referrer that is no text', { referrer: { url: 'https://r.example/' } }],
  ['has none where nobody would leave it', { referrer: null }],
])('what is stored and %s is no visit', (_, change) => {
  const known = { ...open().record, visits: 7 };
  const stored = typeof change === 'string' ? change : JSON.stringify({ ...known, ...change });
  expect(open({}, stored, T + 1000).snapshot).toMatchObject({ visits: 1, startedAt: T + 1000 });
});

test('a page that was left open begins another visit when something is done in it', () => {
  const idle = tracks.timedOut(open(), T + tracks.IDLE_AFTER);
  const back = tracks.active(idle, T + VISIT_GAP);
  expect(tracks.isToBeWritten(back)).toBe(true);
  const { snapshot, record } = tracks.written(back, JSON.stringify(idle.record));
  expect(snapshot).toMatchObject({ visits: 2, startedAt: T + VISIT_GAP, referrer: undefined });
  expect(record).toMatchObject({ visits: 2, lastAt: T + VISIT_GAP });
  // Where another tab has seen it go on it is still the same.
  const elsewhere = JSON.stringify({ ...idle.record, lastAt: T + VISIT_GAP - 1 });
  expect(tracks.written(back, elsewhere).snapshot).toMatchObject({ visits: 1, startedAt: T });
});

test('what was kept with full addresses is told without them where that is not wanted', () => {
  const stored = JSON.stringify(open({ fullUrls: true }).record);
  expect(JSON.stringify(open({}, stored, T + 1).snapshot)).not.toMatch(/secret|shoes/);
});

test.each([
  '',
  'null',
  '{',
  '[]',
  '{"visits":"9"}',
  '{"visits":1,"startedAt":1,"lastAt":1.5,"firstPage":""}',
])('what is no record is none: %s', (text) => {
  expect(readRecord(text)).toBeUndefined();
  expect(open({}, text).snapshot).toMatchObject({ visits: 1, startedAt: T });
});

test('address and title are told together, a moment later', () => {
  const before = open();
  const moved = goTo(before, '/b?x=1', 'A', T + 5000);
  expect(moved.snapshot).toBe(before.snapshot);
  const titled = goTo(moved, '/b?x=1', 'B', T + 5100);
  expect(tracks.deadline(titled)).toBe(T + 5000 + tracks.SETTLE);
  expect(tracks.timedOut(titled, T + 5299).snapshot).toBe(before.snapshot);
  const told = tracks.timedOut(titled, T + 5300);
  expect(told.snapshot).toMatchObject({ url: 'https://shop.example/b', title: 'B' });
  expect(tracks.deadline(told)).toBe(T + tracks.IDLE_AFTER);
});

test('a page that comes back at once has nothing to tell', () => {
  const back = goTo(goTo(open(), '/b', 'B', T + 10), '/a', 'A', T + 20);
  expect(tracks.deadline(back)).toBe(T + tracks.IDLE_AFTER);
});

test('another query or fragment is told only with full addresses', () => {
  expect(tracks.deadline(goTo(open(), '/a#other', 'A', T + 1))).toBe(T + tracks.IDLE_AFTER);
  const full = goTo(open({ fullUrls: true }), '/a#other', 'A', T + 1);
  expect(tracks.deadline(full)).toBe(T + 1 + tracks.SETTLE);
});

test('a page that blinks with its title is told now and then while it is looked at, and not at all otherwise', () => {
  const blink = (track: tracks.Track, from: number) => {
    let told = 0;
    let blinking = track;
    for (let now = from; now < from + 40_000; now += 500) {
      const before = blinking.snapshot;
      blinking = tracks.timedOut(goTo(blinking, '/a', `(${now % 1000 ? 1 : 0}) A`, now), now);
      told += Number(blinking.snapshot !== before);
    }
    return told;
  };
  expect(blink(open(), T)).toBeLessThanOrEqual(5);
  expect(blink(open(), T)).toBeGreaterThan(0);
  expect(blink(open({ isHidden: true }), T)).toBe(0);
});

test('who does nothing for a minute is idle since the last thing they did, and then nothing is awaited', () => {
  const moved = tracks.active(open(), T + 30_000);
  expect(tracks.timedOut(moved, T + tracks.IDLE_AFTER).snapshot.idleSince).toBeNull();
  const idle = tracks.timedOut(moved, T + 30_000 + tracks.IDLE_AFTER);
  expect(idle.snapshot.idleSince).toBe(T + 30_000);
  expect(tracks.deadline(idle)).toBe(Infinity);
  expect(tracks.active(idle, T + 500_000).snapshot.idleSince).toBeNull();
});

test('who looks elsewhere is idle soon, unless they come back', () => {
  const away = tracks.hidden(open(), T + 1000);
  expect(tracks.deadline(away)).toBe(T + 1000 + tracks.HIDDEN_AFTER);
  const idle = tracks.timedOut(away, T + 1000 + tracks.HIDDEN_AFTER);
  expect(idle.snapshot.idleSince).toBe(T);
  expect(tracks.shown(idle, T + 60_000).snapshot.idleSince).toBeNull();
  const back = tracks.shown(away, T + 2000);
  expect(tracks.deadline(back)).toBe(T + 2000 + tracks.IDLE_AFTER);
});

test('a page that opens out of sight is idle until it is looked at', () => {
  const behind = open({ isHidden: true });
  expect(behind.snapshot.idleSince).toBe(T);
  expect(tracks.shown(behind, T + 9).snapshot.idleSince).toBeNull();
});

test('a window that gets the focus is told of, though nothing is different', () => {
  const before = open();
  const once = tracks.focused(before, T + 5000);
  expect(once.snapshot).not.toBe(before.snapshot);
  expect(once.snapshot).toEqual(before.snapshot);
  const twice = tracks.focused(once, T + 5200);
  expect(twice.snapshot).toBe(once.snapshot);
  expect(tracks.timedOut(twice, T + 6000).snapshot).not.toBe(once.snapshot);
});

test('on the wire, times are how long ago they were', () => {
  const { snapshot } = open();
  expect(visitAuth(snapshot, T + 500)).toEqual({
    url: 'https://shop.example/a',
    title: 'A',
    referrer: 'https://search.example/',
    firstPage: 'https://shop.example/a',
    visits: 1,
    elapsed: 500,
  });
  const idle = { ...snapshot, title: 'B', idleSince: T + 400 };
  expect(visitAuth(idle, T + 500)).toMatchObject({ idle: 100, elapsed: 500 });
  expect(visitReport(snapshot, idle, T + 500)).toEqual({ title: 'B', idle: 100 });
  expect(visitReport(idle, { ...idle, idleSince: null }, T + 500)).toEqual({});
  // Another visit begins in the same page, and it comes from nowhere.
  const next = { ...snapshot, referrer: undefined, startedAt: T + 300, visits: 2 };
  expect(JSON.parse(JSON.stringify(visitReport(snapshot, next, T + 500)))).toEqual({
    url: 'https://shop.example/a',
    title: 'A',
    referrer: '',
    firstPage: 'https://shop.example/a',
    visits: 2,
    elapsed: 200,
  });
  // A clock that was set back.
  expect(visitAuth(idle, T - 1)).toMatchObject({ idle: 0, elapsed: 0 });
});

/** What a visitor, a page and a clock may do, and what must hold whatever they do. */
test('whatever happens, what is told is true, soon, and not too often', () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = new Random(seed);
    const fullUrls = random.chance(0.5);
    let now = T;
    let track = open({ fullUrls, isHidden: random.chance(0.2) });
    let tells: number[] = [];
    for (let step = 0; step < 200; step += 1) {
      const before = track;
      const what = random.below(9);
      now += random.below(random.chance(0.2) ? 100_000 : 800);
      if (random.chance(0.01)) {
        now -= random.below(3_600_000);
        tells = [];
      }
      // A shell calls when the deadline has passed, and not long after.
      track = tracks.timedOut(track, now);
      const path = `/${random.below(3)}?q=${random.below(2)}`;
      const stored = JSON.stringify({ ...track.record, lastAt: now, startedAt: now - 5 });
      const steps: readonly (() => tracks.Track)[] = [
        () => tracks.active(track, now),
        () => tracks.hidden(track, now),
        () => tracks.shown(track, now),
        () => tracks.focused(track, now),
        () => goTo(track, path, String(random.below(3)), now),
        () => goTo(track, path, String(random.below(3)), now),
        () => tracks.recorded(track, random.chance(0.5) ? stored : 'x', now),
        () => (tracks.isToBeWritten(track) ? tracks.written(track, stored) : track),
        () => track,
      ];
      track = steps[what]?.() ?? track;
      const { snapshot } = track;
      // Idleness is told when it is due, and what else there is with it.
      const isByPage = what >= 4 && snapshot.idleSince === before.snapshot.idleSince;
      if (snapshot.url !== before.snapshot.url && isByPage) {
        const last = tells.at(-1) ?? -Infinity;
        expect(now - last, `seed ${seed}`).toBeGreaterThanOrEqual(tracks.APART);
      }
      if (snapshot !== before.snapshot && what !== 6 && what !== 7) {
        tells.push(now);
      }
      // Nothing is overdue by more than it takes to tell it.
      expect(
        tracks.deadline(tracks.timedOut(track, tracks.deadline(track))),
        `seed ${seed}`,
      ).toBeGreaterThan(tracks.deadline(track) === Infinity ? 0 : now - 1);
      expect(fullUrls || !JSON.stringify(snapshot).includes('?'), `seed ${seed}`).toBe(true);
      expect(snapshot.startedAt, `seed ${seed}`).toBeLessThanOrEqual(
        Math.max(now, track.record.lastAt),
      );
      const isUnseen = track.snapshot.url !== track.page.url;
      expect(isUnseen && tracks.deadline(track) > now + tracks.APART, `seed ${seed}`).toBe(false);
      if (what <= 3 && what !== 1) {
        expect(snapshot.idleSince, `seed ${seed}`).toBeNull();
      }
    }
    const rest = tracks.timedOut(tracks.timedOut(track, now + 1e6), now + 1e6);
    expect(rest.snapshot.idleSince, `seed ${seed}`).not.toBeNull();
    expect(tracks.deadline(rest), `seed ${seed}`).toBe(Infinity);
    expect(rest.snapshot.url, `seed ${seed}`).toBe(rest.page.url);
  }
});

test('whichever tab writes first, all come to the same record', () => {
  const random = new Random(7);
  const some = (): VisitRecord => ({
    startedAt: T + random.below(3),
    lastAt: T + random.below(4),
    visits: 1 + random.below(2),
    firstPage: `/${random.below(2)}`,
    ...(random.chance(0.5) && { referrer: 'https://r.example/' }),
  });
  for (let round = 0; round < 500; round += 1) {
    const [one, two, three] = [some(), some(), some()];
    expect(merged(one, two)).toEqual(merged(two, one));
    expect(merged(merged(one, two), three)).toEqual(merged(one, merged(two, three)));
    expect(merged(one, one)).toBe(one);
    expect(merged(merged(one, two), two)).toEqual(merged(one, two));
    expect(touched(merged(one, two), { firstPage: '/' }, T + 9).visits).toBe(
      Math.max(one.visits, two.visits),
    );
  }
});
