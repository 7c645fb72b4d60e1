/** A visit in the words of the wire, where times are told by how long ago they were: clocks differ. */
import type { VisitSnapshot } from './types.js';

/** For `auth.visit`. */
export function visitAuth({ startedAt, idleSince, ...rest }: VisitSnapshot, now: number): object {
  return { ...rest, elapsed: since(startedAt, now), ...idle(idleSince, now) };
}

/** What `update_presence` says of a visit that was last told otherwise: all of it, if it is another one. */
export function visitReport(told: VisitSnapshot, visit: VisitSnapshot, now: number): object {
  const { url, title, referrer = '', startedAt, idleSince } = visit;
  if (startedAt !== told.startedAt) {
    // What is empty is there no more.
    return { ...visitAuth(visit, now), referrer };
  }
  return {
    ...(url !== told.url && { url }),
    ...(title !== told.title && { title }),
    // Without it the visitor is active.
    ...idle(idleSince, now),
  };
}

function idle(idleSince: number | null, now: number): { idle?: number } {
  return idleSince === null ? {} : { idle: since(idleSince, now) };
}

function since(time: number, now: number): number {
  return Math.max(0, now - time);
}
