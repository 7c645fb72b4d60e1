/**
 * One visitor is one, even if the first visit begins in several tabs at once: whoever connects first does so alone, until
 * the server has issued the visitor's token, which the others then show.
 *
 * What must stay true: nobody waits for long. Where there is no such token, as with an old server, all of them connect.
 */
import { currentConfig } from './config.js';
import { load, save, tokenKey, visitorToken } from './page.js';

/** How long others are waited for, in milliseconds. */
const PATIENCE = 4000;
/** The token comes right after the connection, and another tab sees what is stored a moment after it is written. */
const SEEN = 250;

/** What this page has written. */
let mine = '';

/** Waits for this tab's turn to connect; what it resolves to ends it, and is called when the connection is up. */
export async function firstTurn(tenantId: string): Promise<() => void> {
  // Whoever has a token, of whichever kind, is known.
  if (visitorToken(tenantId) || currentConfig().getToken) {
    return () => {};
  }
  // Plain http pages have no locks.
  return globalThis.navigator?.locks ? lockTurn(tenantId) : storedTurn(tenantId);
}

function lockTurn(tenantId: string): Promise<() => void> {
  return new Promise((go) => {
    const patience = { signal: AbortSignal.timeout(PATIENCE) };
    navigator.locks
      .request(tokenKey(tenantId), patience, () => {
        if (visitorToken(tenantId)) {
          return go(() => {});
        }
        return new Promise<void>((end) => {
          const timer = setTimeout(end, PATIENCE);
          go(() => {
            clearTimeout(timer);
            setTimeout(end, SEEN);
          });
        });
      })
      // Whoever has it has had their time; or this page may have none.
      .catch(() => go(() => {}));
  });
}

/** The same with what the tabs can read of each other. Two that begin in the same instant are not told apart. */
async function storedTurn(tenantId: string): Promise<() => void> {
  const key = `${tokenKey(tenantId)}?`;
  const other = load(key);
  const left = Number(other) + PATIENCE - Date.now();
  if (other !== mine && left > 0 && left <= PATIENCE) {
    await issued(tenantId, left);
    return () => {};
  }
  const turn = save(key, String(Date.now()));
  mine = turn;
  return () => {
    setTimeout(() => load(key) === turn && save(key, ''), SEEN);
  };
}

function issued(tenantId: string, patience: number): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      globalThis.removeEventListener?.('storage', changed);
      clearTimeout(timer);
      resolve();
    };
    const changed = () => {
      if (visitorToken(tenantId)) {
        end();
      }
    };
    const timer = setTimeout(end, patience);
    globalThis.addEventListener?.('storage', changed);
  });
}
