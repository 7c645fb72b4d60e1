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
  /** What the handshake says that is sent now. */
  auth(): object;
  connected(): void;
  disconnected(): void;
  close(): void;
}

export function reporter(visit: Visit, report: (change: object) => void): Reporter {
  /** What the server was told last. */
  let told: VisitSnapshot = visit.getSnapshot();
  let isConnected = false;
  const changed = () => {
    const now = visit.getSnapshot();
    if (isConnected && told !== now) {
      report(visitReport(told, now, Date.now()));
      told = now;
    }
  };
  const unsubscribe = visit.subscribe(changed);
  return {
    auth() {
      told = visit.getSnapshot();
      return visitAuth(told, Date.now());
    },
    connected() {
      isConnected = true;
      changed();
    },
    disconnected() {
      isConnected = false;
    },
    close: unsubscribe,
  };
}

/**
 * What an address of the socket says of the page: no more than the visit does, as it is now. What the application has said
 * itself stays.
 */
export function visited(
  website: CoreConfig['website'],
  visit: Visit,
  given: WebsiteInfo = {},
): CoreConfig['website'] {
  const { url, referrer = '' } = { ...visit.getSnapshot(), ...given };
  return { ...website, url, referrer };
}
