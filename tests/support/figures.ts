/** What a fault cost: what admins were shown, held against what was true. Values in, values out. */
import type { Noticed } from './observer.ts';
import { absences, type Sessions } from './truth.ts';

export interface Watch {
  readonly admin: string;
  readonly log: readonly Noticed[];
}

/** A user who was taken off an admin's screen without ever having been away since they were last put on it. */
export interface FalseOffline {
  readonly admin: string;
  readonly userId: string;
  readonly by: 'event' | 'list';
}

/** How often one leave was announced to one admin. */
export interface Announced {
  readonly admin: string;
  readonly userId: string;
  readonly times: number;
}

export interface Figures {
  readonly falseOfflines: readonly FalseOffline[];
  /** How long users stood on a connected admin's screen who were gone, in milliseconds, one entry a time and admin. */
  readonly ghosts: readonly number[];
  /** How often admins were told that somebody goes who was not on their screen. */
  readonly repeatedOfflines: number;
  /** How often admins were told that somebody comes who stood on their screen with that very session. */
  readonly repeatedOnlines: number;
  /** For each real leave and each admin who was connected all along: how often it was announced. */
  readonly announcements: readonly Announced[];
}

/**
 * A server may see the end of a session before its client does. Where that decides whether somebody was away, they get the
 * benefit of this part of the grace time.
 */
const CLOCKS_DIFFER = 0.2;

/** The figures from the logs of all admins up to now. */
export function figuresOf(
  sessions: Sessions,
  watches: readonly Watch[],
  grace: number,
  now: number,
): Figures {
  const each = watches.map((watch) => shownTo(watch, sessions, grace, now));
  const all = <T>(of: (seen: ShownTo) => readonly T[]): T[] => each.flatMap(of);
  const count = (of: (seen: ShownTo) => number): number =>
    each.reduce((sum, seen) => sum + of(seen), 0);
  return {
    falseOfflines: all((seen) => seen.falseOfflines),
    ghosts: all((seen) => seen.ghosts),
    repeatedOfflines: count((seen) => seen.repeatedOfflines),
    repeatedOnlines: count((seen) => seen.repeatedOnlines),
    announcements: watches
      .filter(({ log }) => log.every(({ kind }) => kind !== 'disconnected'))
      .flatMap((watch) => announcements(watch, sessions, grace, now)),
  };
}

interface ShownTo {
  readonly falseOfflines: FalseOffline[];
  readonly ghosts: number[];
  repeatedOfflines: number;
  repeatedOnlines: number;
}

interface Row {
  readonly sessionId: string | undefined;
  /** When the admin was last told that the user is there. */
  readonly told: number;
  /** Since when the row is on the screen of a connected admin. */
  readonly since: number;
}

/** Goes through what one admin noticed, and judges each row when it leaves the screen. */
function shownTo({ admin, log }: Watch, sessions: Sessions, grace: number, now: number): ShownTo {
  const seen: ShownTo = { falseOfflines: [], ghosts: [], repeatedOfflines: 0, repeatedOnlines: 0 };
  const rows = new Map<string, Row>();
  const spans = (userId: string) => sessions.get(userId) ?? [];
  const haunted = (userId: string, { since }: Row, until: number): void => {
    const gone = absences(spans(userId), grace, since, until);
    seen.ghosts.push(...gone.map(({ from, to }) => to - from));
  };
  const put = (userId: string, sessionId: string | undefined, at: number): void => {
    const since = rows.get(userId)?.since ?? at;
    rows.set(userId, { sessionId, told: at, since });
  };
  const take = (userId: string, row: Row, at: number, by: FalseOffline['by']): void => {
    rows.delete(userId);
    haunted(userId, row, at);
    const lenient = grace * (1 - CLOCKS_DIFFER);
    if (absences(spans(userId), lenient, row.told, at).length === 0) {
      seen.falseOfflines.push({ admin, userId, by });
    }
  };

  for (const noticed of log) {
    const { at, kind } = noticed;
    switch (kind) {
      case 'connected':
        // From here on the screen is the server's answer again.
        for (const [userId, row] of rows) rows.set(userId, { ...row, since: at });
        break;
      case 'disconnected':
        for (const [userId, row] of rows) haunted(userId, row, at);
        break;
      case 'online':
        if (rows.has(noticed.userId) && rows.get(noticed.userId)?.sessionId === noticed.sessionId) {
          seen.repeatedOnlines++;
        }
        put(noticed.userId, noticed.sessionId, at);
        break;
      case 'offline': {
        const row = rows.get(noticed.userId);
        if (row) take(noticed.userId, row, at, 'event');
        else seen.repeatedOfflines++;
        break;
      }
      case 'list': {
        const listed = new Set(noticed.users.map(({ userId }) => userId));
        for (const [userId, row] of rows) {
          if (!listed.has(userId)) take(userId, row, at, 'list');
        }
        for (const { userId, sessionId } of noticed.users) put(userId, sessionId, at);
        break;
      }
    }
  }
  if (
    log.findLast(({ kind }) => kind === 'connected' || kind === 'disconnected')?.kind ===
    'connected'
  ) {
    for (const [userId, row] of rows) haunted(userId, row, now);
  }
  return seen;
}

/** For each real leave of a user whom the admin was shown when it happened, or later: how often it was announced. */
function announcements(
  { admin, log }: Watch,
  sessions: Sessions,
  grace: number,
  now: number,
): Announced[] {
  const counts = [];
  for (const [userId, spans] of sessions) {
    const first = spans[0];
    if (!first) continue;
    const gone = absences(spans, grace, first.from, now)
      // Whoever was back soon may have been so in time for the server.
      .filter(({ from, to }) => to === now || to - from > grace);
    for (const [index, leave] of gone.entries()) {
      // A server may be early by what the clocks differ, and a late word still belongs to this leave.
      const begin = leave.from - grace * CLOCKS_DIFFER;
      const told = log.flatMap((noticed) => aboutUser(noticed, userId));
      const before = told.findLast(({ at }) => at < begin);
      const after = told.filter(
        ({ at }) => at >= begin && at < (gone[index + 1]?.from ?? Infinity),
      );
      const times = after.filter(({ online }) => !online).length;
      if (before?.online || after.some(({ online }) => online))
        counts.push({ admin, userId, times });
    }
  }
  return counts;
}

interface Told {
  readonly at: number;
  readonly online: boolean;
}

/** Whether this was about the user, and what. */
function aboutUser(noticed: Noticed, userId: string): Told[] {
  const { at } = noticed;
  switch (noticed.kind) {
    case 'connected':
    case 'disconnected':
      return [];
    case 'list':
      return noticed.users.some((shown) => shown.userId === userId) ? [{ at, online: true }] : [];
    case 'online':
    case 'offline':
      return noticed.userId === userId ? [{ at, online: noticed.kind === 'online' }] : [];
  }
}
