/**
 * Who is online, as an external store: `subscribe` and `getSnapshot`, nothing of any framework.
 *
 * - A snapshot is the same object until something in it changes.
 * - The first subscriber starts the work, the last one to leave ends it; leaving and coming back in
 *   one go (React's strict mode, a changed key) costs nothing.
 * - Stores for the same tenant and options share one connection.
 * - A failure keeps the last list and stands beside it in `error`.
 */
import type { OnlineUsers } from 'chat-core';
import { currentConfig } from './config.js';
import { coreConfig } from './core-config.js';
import { inBrowser, loadCore } from './core.js';
import { ChatError, fail } from './errors.js';
import type { OnlineUser, UseOnlineUsersOptions } from './types.js';

/** What is known of who is online at one moment. It never changes: something new is a new snapshot. */
export interface OnlineUsersSnapshot {
  /** In order of arrival; the same array until it changes. */
  readonly onlineUsers: OnlineUser[];
  /** No list has arrived yet and one is on its way. */
  readonly isLoading: boolean;
  /** Why the list may be out of date; null while all is well. */
  readonly error: ChatError | null;
  /** The list follows changes as they happen; otherwise it is polled. */
  readonly isConnected: boolean;
}

/** Who is online in one tenant, for any framework or none. */
export interface OnlineUsersStore {
  /** Calls `listener` after each change; the result unsubscribes. */
  readonly subscribe: (listener: () => void) => () => void;
  /** What is known now: the same object until something in it changes. */
  readonly getSnapshot: () => OnlineUsersSnapshot;
  /** What a server renders. */
  readonly getServerSnapshot: () => OnlineUsersSnapshot;
  /** Asks for the list now, and resolves when it has asked. The answer shows in the snapshot. */
  readonly refresh: () => Promise<void>;
  /** Drops all subscribers. */
  readonly close: () => void;
}

type Settings = Required<UseOnlineUsersOptions>;

/**
 * A store of who is online in a tenant. It does nothing before its first subscriber; stores for the
 * same tenant and options share one connection. For admins.
 */
export function createOnlineUsersStore(
  tenantId: string,
  { enableWebSocket = true, pollingInterval = 5000, autoRefresh = true }: UseOnlineUsersOptions = {},
): OnlineUsersStore {
  const settings: Settings = { enableWebSocket, pollingInterval, autoRefresh };
  const atFirst: OnlineUsersSnapshot = {
    onlineUsers: [],
    isLoading: autoRefresh,
    error: null,
    isConnected: false,
  };
  const listeners = new Set<() => void>();
  const notify = () => listeners.forEach((listener) => listener());
  let feed: Feed | undefined;
  // Changed options start with what is already known of the tenant, not with an empty list.
  let last = knownList(tenantId, atFirst);

  const leave = () => {
    if (feed && listeners.size === 0) {
      last = { ...feed.snapshot(), isConnected: false };
      feed.release(notify);
      feed = undefined;
    }
  };

  return {
    subscribe(listener) {
      // A wrapper of its own, so that one function may subscribe twice.
      const entry = () => listener();
      listeners.add(entry);
      feed ??= acquire(tenantId, settings, last, notify);
      return () => {
        listeners.delete(entry);
        queueMicrotask(leave);
      };
    },
    getSnapshot: () => feed?.snapshot() ?? last,
    getServerSnapshot: () => atFirst,
    refresh: async () => feed?.refresh(),
    close() {
      listeners.clear();
      leave();
    },
  };
}

/** One running `OnlineUsers` and everyone who reads it. */
interface Feed {
  readonly tenant: string;
  snapshot(): OnlineUsersSnapshot;
  refresh(): Promise<void>;
  /** The last one to leave stops it. */
  release(reader: () => void): void;
}

interface OpenFeed extends Feed {
  readers: Set<() => void>;
}

const feeds = new Map<string, OpenFeed>();

function tenantKey(tenantId: string): string {
  const { gatewayUrl, websocketUrl } = currentConfig();
  return [tenantId, gatewayUrl, websocketUrl].join(' ');
}

function knownList(tenantId: string, otherwise: OnlineUsersSnapshot): OnlineUsersSnapshot {
  const tenant = tenantKey(tenantId);
  for (const feed of feeds.values()) {
    if (feed.tenant === tenant) {
      return { ...feed.snapshot(), isConnected: false };
    }
  }
  return otherwise;
}

function acquire(
  tenantId: string,
  settings: Settings,
  last: OnlineUsersSnapshot,
  reader: () => void,
): Feed {
  const tenant = tenantKey(tenantId);
  const key = tenant + Object.values(settings).join();
  const feed = feeds.get(key) ?? open(tenant, key, tenantId, settings, last);
  feed.readers.add(reader);
  return feed;
}

function open(
  tenant: string,
  key: string,
  tenantId: string,
  settings: Settings,
  last: OnlineUsersSnapshot,
): OpenFeed {
  const readers = new Set<() => void>();
  let snapshot = last;
  let core: OnlineUsers | undefined;
  let starting: Promise<void> | undefined;
  let closed = false;

  const set = (next: OnlineUsersSnapshot) => {
    const changed = (Object.keys(next) as (keyof OnlineUsersSnapshot)[]).some(
      (name) => next[name] !== snapshot[name],
    );
    if (changed && !closed) {
      snapshot = next;
      readers.forEach((reader) => reader());
    }
  };
  const read = () => {
    if (core) {
      const users = core.users();
      const error = core.error() ?? null;
      const isLoading = core.isLoading();
      // What was known before this feed began stays until it has a list of its own.
      const keep = users.length === 0 && (isLoading || error !== null);
      set({
        onlineUsers: keep ? snapshot.onlineUsers : users,
        isLoading: isLoading && (snapshot.isLoading || snapshot.error !== null),
        error,
        isConnected: core.isConnected(),
      });
    }
  };
  const start = async () => {
    try {
      const { OnlineUsers } = await loadCore();
      if (!closed) {
        core = new OnlineUsers(coreConfig(tenantId, true), settings, read);
        read();
      }
    } catch (cause) {
      starting = undefined;
      const error = cause instanceof ChatError ? cause : fail('INTERNAL', String(cause));
      set({ ...snapshot, isLoading: false, error });
    }
  };

  const feed: OpenFeed = {
    tenant,
    readers,
    snapshot: () => snapshot,
    async refresh() {
      // A failed start is tried again.
      await (starting ??= start());
      core?.refresh();
    },
    release(reader) {
      readers.delete(reader);
      if (readers.size === 0) {
        closed = true;
        feeds.delete(key);
        core?.close();
        core = undefined;
      }
    },
  };
  feeds.set(key, feed);
  if (inBrowser()) {
    starting = start();
  }
  return feed;
}
