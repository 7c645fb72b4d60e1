/**
 * Tells the server of a visit over one connection: all of it when that is made, and what changes while it is up.
 *
 * What must stay true: the server knows the visit as it is now, whatever changed while a connection came or went, and
 * hears nothing where nothing has changed.
 */
import type { CoreConfig } from 'chat-core';
import type { WebsiteInfo } from '../types.js';
import type { Visit, VisitSnapshot } from './types.js';
import { visitAuth, visitReport } from './wire.js';

export interface Reporter {
  /** What the next handshake says. */
  auth(): object;
  connected(): void;
  disconnected(): void;
  close(): void;
}

export function reporter(visit: Visit, report: (change: object) => void): Reporter {
  /** What the last handshake has said. */
  let shown: VisitSnapshot = visit.getSnapshot();
  /** What the server knows by the connection that is up. */
  let told: VisitSnapshot | undefined;
  const changed = () => {
    const now = visit.getSnapshot();
    if (told && told !== now) {
      report(visitReport(told, now, Date.now()));
      told = now;
    }
  };
  const unsubscribe = visit.subscribe(changed);
  return {
    auth() {
      shown = visit.getSnapshot();
      return visitAuth(shown, Date.now());
    },
    connected() {
      told = shown;
      changed();
    },
    disconnected() {
      told = undefined;
    },
    close: unsubscribe,
  };
}

/**
 * What an address of the socket says of the page: no more than the visit does, and as it is at each connect. What the
 * application has said itself stays.
 */
export function visited(
  website: CoreConfig['website'],
  visit: Visit,
  given: WebsiteInfo = {},
): CoreConfig['website'] {
  return {
    ...website,
    get url() {
      return given.url ?? visit.getSnapshot().url;
    },
    get referrer() {
      return given.referrer ?? visit.getSnapshot().referrer ?? '';
    },
  };
}
