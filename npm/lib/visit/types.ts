/** What is told of a visit, in the words that applications read. */
import type { SnapshotStore } from '../types.js';

/** A visit of the site at one moment. It never changes: something new is a new snapshot. */
export interface VisitSnapshot {
  /** Address of the page, without query and fragment unless `fullUrls` is set. */
  readonly url: string;
  /** The page's title. */
  readonly title: string;
  /** The page of another site that the visitor came from when the visit began, if the browser says so. */
  readonly referrer: string | undefined;
  /** Address of the page where the visit began. */
  readonly firstPage: string;
  /** When the visit began, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** How often this browser has visited the site, this time included: 1 is a new visitor. */
  readonly visits: number;
  /** When the visitor last did something, in milliseconds since the epoch; null while the visitor is active. */
  readonly idleSince: number | null;
}

/**
 * A visit that is followed. Listeners are called after each change, and when the page's window gets the focus, because
 * of several pages the one that is looked at counts.
 */
export interface Visit extends SnapshotStore<VisitSnapshot> {
  /** Ends it: nothing is listened to any more, and the snapshot stays as it is. */
  readonly close: () => void;
}

/** How a visit is followed. */
export interface VisitOptions {
  /** Whether addresses keep their query and fragment. Default: false, because there may be secrets in them. */
  fullUrls?: boolean | undefined;
}
