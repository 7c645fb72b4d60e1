/**
 * A visit in one page as a state machine: what happens to the page goes in, a snapshot and the next deadline come out. The
 * time is an argument, and so is what storage holds.
 *
 * What must stay true:
 * - A visitor is idle who has done nothing here for a minute, or does not see the page; whoever does something is active
 *   at once. While they are idle there is a deadline only if the page itself has gone on to another address.
 * - The snapshot is the same object until there is something to tell. What a page does by itself is told a moment later,
 *   address and title together, and at most once a second.
 * - A clock that is set back delays nothing for longer than it would have taken.
 */
import { merged, readRecord, touched, type VisitRecord } from './record.js';
import type { VisitSnapshot } from './types.js';

/** Without pointer, key or touch: long enough to read a screen of text. */
export const IDLE_AFTER = 60_000;
/** Out of sight: a look at another tab is over by then, and need not be announced to anybody. */
export const HIDDEN_AFTER = 10_000;
/** Applications set the title after the address. */
export const SETTLE = 300;
/** Between two changes that are told. */
export const APART = 1000;
/** Between two titles of one address, after the first: pages blink with them. */
const TITLES_APART = 10_000;
/** Activity is written down so often at most: storage is shared with the page. */
const WRITTEN_EVERY = 30_000;

/** Servers keep no more of them, and refuse a handshake that is too long. */
const LONGEST_URL = 2048;
const LONGEST_TITLE = 256;

/** Where the visitor is. */
export interface Page {
  readonly url: string;
  readonly title: string;
}

export interface Track {
  readonly fullUrls: boolean;
  readonly record: VisitRecord;
  /** Where the visitor is; the snapshot follows. */
  readonly page: Page;
  readonly snapshot: VisitSnapshot;
  /** The latest time that was heard of. */
  readonly now: number;
  readonly activeAt: number;
  readonly hiddenAt: number | null;
  /** When what is not told yet is. */
  readonly dueAt: number;
  readonly toldAt: number;
  /** When another title of the same address was last told. */
  readonly titledAt: number;
}

/** How a page begins. */
export interface Opening extends Page {
  readonly referrer: string;
  readonly fullUrls: boolean;
  readonly isHidden: boolean;
}

/** A page opens. What opens out of sight, as in another tab, is idle until it is looked at. */
export function opened(page: Opening, stored: string, now: number): Track {
  const { fullUrls, isHidden } = page;
  const seen = pageOf(page, fullUrls);
  const beginning = { firstPage: seen.url, referrer: external(page) };
  const record = touched(readRecord(stored), beginning, now);
  const track = {
    fullUrls,
    record,
    page: seen,
    now,
    activeAt: now,
    hiddenAt: isHidden ? now : null,
    dueAt: Infinity,
    toldAt: -Infinity,
    titledAt: -Infinity,
  };
  return { ...track, snapshot: snapshotOf(track, isHidden ? now : null) };
}

/** The page has another address or title. */
export function navigated(before: Track, to: Page, now: number): Track {
  const track = at(before, now);
  const page = pageOf(to, track.fullUrls);
  if (same(page, track.page)) {
    return track;
  }
  const { snapshot, toldAt, titledAt } = track;
  const soon = Math.max(now + SETTLE, toldAt + APART);
  const due =
    page.url !== snapshot.url
      ? soon
      : snapshot.idleSince === null
        ? Math.max(soon, titledAt + TITLES_APART)
        : Infinity;
  // Where it has come back to what is known there is nothing to tell.
  const dueAt = same(page, snapshot) ? Infinity : Math.min(due, track.dueAt);
  return { ...track, page, dueAt };
}

/** The visitor does something. */
export function active(before: Track, now: number): Track {
  const track = { ...at(before, now), activeAt: now };
  return track.snapshot.idleSince === null ? track : tell(track, null);
}

/** The page is out of sight. */
export function hidden(before: Track, now: number): Track {
  return { ...at(before, now), hiddenAt: now };
}

/** The page is in sight again. */
export function shown(before: Track, now: number): Track {
  return active({ ...before, hiddenAt: null }, now);
}

/** The page's window has the focus: that is told even if nothing else is, for there may be other pages. */
export function focused(before: Track, now: number): Track {
  const track = shown(before, now);
  if (track.snapshot !== before.snapshot) {
    return track;
  }
  return timedOut({ ...track, dueAt: Math.min(track.dueAt, track.toldAt + APART) }, now);
}

/** Another tab has written down what it knows. */
export function recorded(before: Track, stored: string, now: number): Track {
  return renewed(at(before, now), merged(before.record, readRecord(stored)));
}

/** Whether it is time to read what is stored, and to write down that something is done. */
export function isToBeWritten({ record, activeAt }: Track): boolean {
  return Math.abs(activeAt - record.lastAt) >= WRITTEN_EVERY;
}

/** What is to be written, by what is stored. */
export function written(track: Track, stored: string): Track {
  const record = merged(track.record, readRecord(stored));
  // The visitor has long been here, so another visit comes from nowhere.
  return renewed(track, touched(record, { firstPage: track.page.url }, track.activeAt));
}

/** The deadline has passed, or may have. */
export function timedOut(before: Track, now: number): Track {
  const track = at(before, now);
  if (track.snapshot.idleSince === null && idleAt(track) <= now) {
    return tell(track, track.activeAt);
  }
  return track.dueAt <= now ? tell(track, track.snapshot.idleSince) : track;
}

/** When to call `timedOut`; infinite if nothing is to come of it. */
export function deadline(track: Track): number {
  return Math.min(track.dueAt, track.snapshot.idleSince === null ? idleAt(track) : Infinity);
}

function idleAt({ activeAt, hiddenAt }: Track): number {
  return Math.min(activeAt + IDLE_AFTER, (hiddenAt ?? Infinity) + HIDDEN_AFTER);
}

/** No time lies in the future. */
function at(track: Track, now: number): Track {
  if (now >= track.now) {
    return { ...track, now };
  }
  const past = (time: number) => Math.min(time, now);
  const { activeAt, hiddenAt, toldAt, titledAt, dueAt } = track;
  return {
    ...track,
    now,
    activeAt: past(activeAt),
    hiddenAt: hiddenAt === null ? null : past(hiddenAt),
    toldAt: past(toldAt),
    titledAt: past(titledAt),
    dueAt: dueAt === Infinity ? dueAt : past(dueAt),
  };
}

function tell(track: Track, idleSince: number | null): Track {
  const { page, snapshot, now, titledAt } = track;
  const isSameUrl = page.url === snapshot.url;
  return {
    ...track,
    snapshot: snapshotOf(track, idleSince),
    dueAt: Infinity,
    toldAt: now,
    titledAt: !isSameUrl ? -Infinity : page.title === snapshot.title ? titledAt : now,
  };
}

function renewed(track: Track, record: VisitRecord): Track {
  const { snapshot } = track;
  if (snapshot.startedAt === record.startedAt && snapshot.visits === record.visits) {
    return { ...track, record };
  }
  const { url, title, idleSince } = snapshot;
  // Where the page has gone on to meanwhile is told in its own time.
  const known = snapshotOf({ ...track, record, page: { url, title } }, idleSince);
  return { ...track, record, snapshot: known };
}

function snapshotOf(
  { record, page, fullUrls }: Pick<Track, 'record' | 'page' | 'fullUrls'>,
  idleSince: number | null,
): VisitSnapshot {
  const { startedAt, visits, firstPage, referrer } = record;
  return {
    ...page,
    // Whoever wrote it may have been set up otherwise.
    referrer: referrer === undefined ? undefined : cut(referrer, fullUrls),
    firstPage: cut(firstPage, fullUrls),
    startedAt,
    visits,
    idleSince,
  };
}

function pageOf({ url, title }: Page, fullUrls: boolean): Page {
  // What is half of a character is no text to a server.
  return { url: cut(url, fullUrls), title: title.slice(0, LONGEST_TITLE).replace(/\p{Cs}/gu, '') };
}

function same(one: Page, two: Page): boolean {
  return one.url === two.url && one.title === two.title;
}

/** Without what may be nobody else's business. */
function cut(url: string, full: boolean): string {
  return (full ? url : url.replace(/[?#].*/s, '')).slice(0, LONGEST_URL);
}

/** A page of the same site has sent nobody here. */
function external({ url, referrer, fullUrls }: Opening): string | undefined {
  const site = /^[a-z]+:\/\/[^/?#]*/i;
  const isOther = referrer !== '' && site.exec(referrer)?.[0] !== site.exec(url)?.[0];
  return isOther ? cut(referrer, fullUrls) : undefined;
}
