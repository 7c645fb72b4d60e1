/**
 * Stores that several parts of a page have of the same thing: it is done once, while somebody follows it.
 *
 * - A snapshot is the same object until something in it changes.
 * - The first subscriber of any of them starts the work, the last one to leave ends it; leaving and coming back in one go costs
 *   nothing. What was known last stays, and the work begins anew with it.
 */
import { audience, tell, updated, type Listeners } from './audience.js';
import { currentConfig } from './config.js';
import { canConnect } from './core.js';
import type { SnapshotStore } from './types.js';

/** Work that is under way. */
export interface Work {
  /** Ends it. It says nothing any more. */
  stop(): void;
}

/** Begins to work, from what is known. `set` says what has changed. */
export type Begin<T, W extends Work> = (known: T, set: (change: Partial<T>) => void) => W;

/** A store, and the work of it while it is under way. */
export interface SharedStore<T, W> extends SnapshotStore<T> {
  /** What a server renders. */
  readonly getServerSnapshot: () => T;
  readonly close: () => void;
  readonly work: () => W | undefined;
}

/** One piece of work, and everyone who follows it. */
interface Running<T, W> {
  snapshot: T;
  work: W | undefined;
  readonly followers: Set<() => void>;
}

/** What runs, by what it is for. */
const running = new Map<string, unknown>();

/**
 * A store of what `begin` does. Stores of the same `kind` and tenant share it.
 *
 * @param left what becomes of what is known when nobody follows it any more.
 */
export function sharedStore<T extends object, W extends Work>(
  kind: string,
  tenantId: string,
  atFirst: T,
  left: Partial<T>,
  begin: Begin<T, W>,
): SharedStore<T, W> {
  const listeners: Listeners = new Set();
  let last = atFirst;
  let followed: { readonly shared: Running<T, W>; readonly leave: () => void } | undefined;

  const show = () => {
    last = followed?.shared.snapshot ?? last;
    tell(listeners);
  };
  const attend = () => {
    if (listeners.size > 0 && !followed && canConnect()) {
      const { gatewayUrl, websocketUrl } = currentConfig();
      const key = JSON.stringify([kind, tenantId, gatewayUrl, websocketUrl]);
      const shared = running.get(key) as Running<T, W> | undefined ?? run(key, last, begin);
      shared.followers.add(show);
      const leave = () => release(key, shared, show);
      followed = { shared, leave };
      last = shared.snapshot;
    } else if (listeners.size === 0 && followed) {
      last = { ...followed.shared.snapshot, ...left };
      followed.leave();
      followed = undefined;
    }
  };

  return {
    ...audience(listeners, attend),
    getSnapshot: () => last,
    getServerSnapshot: () => atFirst,
    work: () => followed?.shared.work,
  };
}

function run<T extends object, W extends Work>(
  key: string,
  known: T,
  begin: Begin<T, W>,
): Running<T, W> {
  const shared: Running<T, W> = { snapshot: known, work: undefined, followers: new Set() };
  running.set(key, shared);
  shared.work = begin(known, (change) => {
    const next = updated(shared.snapshot, change);
    if (next !== shared.snapshot) {
      shared.snapshot = next;
      [...shared.followers].forEach((follower) => follower());
    }
  });
  return shared;
}

function release<T, W extends Work>(
  key: string,
  shared: Running<T, W>,
  follower: () => void,
): void {
  shared.followers.delete(follower);
  if (shared.followers.size === 0) {
    running.delete(key);
    shared.work?.stop();
  }
}
