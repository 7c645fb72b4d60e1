/**
 * Who is online, as an external store: `subscribe` and `getSnapshot`, nothing of any framework.
 *
 * - A snapshot is the same object until something in it changes. A changed list is shown at most once
 *   per frame, however many users come and go; whatever else changes is shown at once.
 * - The first subscriber starts the work, the last one to leave ends it; leaving and coming back in
 *   one go (React's strict mode, a changed key) costs nothing.
 * - Stores for the same tenant share one connection, however often they poll while it is down; those
 *   that want none share their polling.
 * - A failure keeps the last list and stands beside it in `error`.
 */
import { askAhead, type Auth, type Shelf, type Users } from 'chat-core';
import { audience, tell, type Listeners } from './audience.js';
import { currentConfig } from './config.js';
import { type Connection, CONNECTING, connectionOf, IDLE, Status } from './connection.js';
import { coreConfig } from './core-config.js';
import { canConnect, loadCore } from './core.js';
import { asError, type ChatError } from './errors.js';
import { UsersOp, UsersStatus } from './ops.js';
import { paced } from './pace.js';
import type { OnlineUser, UseOnlineUsersOptions } from './types.js';
import { openView } from './view/open.js';
import type { Now, OnlineUsersQuery, OnlineUsersView, ViewSource } from './view/types.js';

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
  /** Where the connection stands, and why it is not live. */
  readonly connection: Connection;
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
  /** A live window on the filtered, searched and sorted list; 50 rows in order of arrival unless `query` says otherwise. */
  readonly view: (query?: OnlineUsersQuery) => OnlineUsersView;
  /** Drops all subscribers; views have their own. */
  readonly close: () => void;
}

/** A store without what is loaded when it is needed. */
export interface OpenStore extends Omit<OnlineUsersStore, 'view'>, ViewSource {}

/**
 * A store of who is online in a tenant. It does nothing before its first subscriber; stores for the
 * same tenant and options share one connection. For admins.
 */
export function createOnlineUsersStore(
  tenantId: string,
  options?: UseOnlineUsersOptions,
): OnlineUsersStore {
  const store = openStore(tenantId, options);
  return { ...store, view: (query) => openView(store, query) };
}

export function openStore(
  tenantId: string,
  {
    enableWebSocket = true,
    pollingInterval = 5000,
    autoRefresh = true,
    notifyInterval = 'frame',
  }: UseOnlineUsersOptions = {},
): OpenStore {
  const atFirst: OnlineUsersSnapshot = {
    onlineUsers: UNKNOWN,
    isLoading: autoRefresh || enableWebSocket,
    error: null,
    isConnected: false,
    connection: canConnect() && (autoRefresh || enableWebSocket) ? CONNECTING : IDLE,
  };
  const onServer = unconnected(atFirst);
  const listeners: Listeners = new Set();
  let feed: Followed | undefined;
  // Changed options start with what is already known of the tenant, not with an empty list.
  let last = knownList(tenantId, atFirst);

  const show = () => {
    const next = feed?.snapshot() ?? last;
    if (next !== last) {
      last = next;
      tell(listeners);
    }
  };
  const follow = (show: () => void): Followed => {
    const pace = paced(show, notifyInterval);
    const reader: Reader = (soon) => {
      if (soon) {
        pace.ask();
      } else {
        pace.cancel();
        show();
      }
    };
    const feed = running(tenantId, enableWebSocket) ?? open(tenantId, enableWebSocket, last);
    feed.join(reader, autoRefresh ? pollingInterval : Infinity);
    const release = () => {
      pace.cancel();
      feed.release(reader);
    };
    return { ...feed, release };
  };
  const attend = () => {
    if (listeners.size > 0) {
      if (!feed) {
        feed = follow(show);
        last = feed.snapshot();
      }
    } else if (feed) {
      last = unconnected(feed.snapshot());
      feed.release();
      feed = undefined;
    }
  };

  return {
    ...audience(listeners, attend),
    // What it would follow runs already where another store does: changed options do not look like a lost connection.
    getSnapshot: () => (feed ? last : (running(tenantId, enableWebSocket)?.snapshot() ?? last)),
    getServerSnapshot: () => onServer,
    refresh: async () => feed?.refresh(),
    follow,
  };
}

/** What there is before any list: no list, which an empty one is. */
const UNKNOWN: OnlineUser[] = [];

/** Told that the snapshot may be another one: of the list `soon`, of anything else at once. */
type Reader = (soon: boolean) => void;

/** One running `onlineUsers` and everyone who reads it. */
interface Feed {
  readonly tenant: string;
  /** The same object until something in it changes. */
  snapshot(): OnlineUsersSnapshot;
  /** What is known without making a list. */
  now(): Now;
  refresh(): Promise<void>;
  /** Starts to read, polling at this interval while there is no socket. */
  join(reader: Reader, interval: number): void;
  /** The last one to leave stops it. */
  release(reader: Reader): void;
}

/** A feed as one of its readers has it. */
interface Followed extends Omit<Feed, 'release'> {
  release(): void;
}

const feeds = new Map<string, Feed>();

function tenantKey(tenantId: string): string {
  const { gatewayUrl, websocketUrl } = currentConfig();
  return [tenantId, gatewayUrl, websocketUrl].join(' ');
}

function knownList(tenantId: string, otherwise: OnlineUsersSnapshot): OnlineUsersSnapshot {
  const tenant = tenantKey(tenantId);
  for (const feed of feeds.values()) {
    if (feed.tenant === tenant) {
      return { ...feed.snapshot(), isConnected: false, connection: otherwise.connection };
    }
  }
  return otherwise;
}

function unconnected(snapshot: OnlineUsersSnapshot): OnlineUsersSnapshot {
  return { ...snapshot, isConnected: false, connection: IDLE };
}

function running(tenantId: string, socket: boolean): Feed | undefined {
  return feeds.get(tenantKey(tenantId) + socket);
}

function open(tenantId: string, socket: boolean, last: OnlineUsersSnapshot): Feed {
  const tenant = tenantKey(tenantId);
  const key = tenant + socket;
  // How often each would poll; whoever would most often counts.
  const readers = new Map<Reader, number>();
  const interval = () => Math.min(...readers.values());
  let snapshot = last;
  let core: Users | undefined;
  let shelf: Shelf | undefined;
  let starting: Promise<void> | undefined;
  let closed = false;

  const tell = (soon: boolean) => readers.forEach((_, reader) => reader(soon));
  const set = (next: OnlineUsersSnapshot) => {
    const changed = (Object.keys(next) as (keyof OnlineUsersSnapshot)[]).some(
      (name) => next[name] !== snapshot[name],
    );
    if (changed) {
      snapshot = next;
    }
  };
  let status = 0;
  let error: ChatError | null = null;
  let connection = last.connection;
  const now = () => {
    const isLoading = (status & UsersStatus.Awaited) > 0 && error === null;
    return { rows: shelf, isLoading, error };
  };
  const read = () => {
    if (shelf) {
      const users = shelf.users();
      const { isLoading } = now();
      // What was known before this feed began stays until it has a list of its own.
      const keep = !(status & UsersStatus.Listed) && users.length === 0;
      set({
        onlineUsers: keep ? last.onlineUsers : users,
        isLoading: isLoading && last.onlineUsers === UNKNOWN,
        error,
        isConnected: connection.state === 'live',
        connection,
      });
    }
    return snapshot;
  };
  const start = async () => {
    try {
      // A page's parts subscribe before those around them have configured anything.
      await null;
      const config = coreConfig(tenantId, true);
      // The core starts while the list is on its way. It waits for no token of the application's, which may take its time.
      if (!currentConfig().getToken && interval() < Infinity) {
        const ask = (auth: Auth) => askAhead(config, auth);
        // Where that is not to be had, it is for the core to say.
        await config.credentials().then(ask).catch(() => {});
      }
      const { onlineUsers } = await loadCore();
      if (!closed) {
        if (interval() === Infinity) {
          // Whoever wanted it has left, and it would be old when somebody asks for one.
          config.ahead = undefined;
        }
        core = onlineUsers(config, socket, interval(), (now, why) => {
          status = now;
          error = (now & UsersStatus.Outdated && why) || null;
          const state = Math.floor(now / UsersStatus.Connection);
          connection = connectionOf(connection, state, state === Status.Live ? undefined : why);
          tell(false);
        });
        shelf = core(UsersOp.Shelf);
        shelf.onchange = () => tell(true);
        tell(false);
      }
    } catch (cause) {
      starting = undefined;
      error = asError(cause);
      set({ ...snapshot, isLoading: false, error, connection: { state: 'closed', error } });
      tell(false);
    }
  };

  const agree = () => core?.(UsersOp.Poll, interval());

  const feed: Feed = {
    tenant,
    snapshot: read,
    now,
    join(reader, often) {
      readers.set(reader, often);
      if (readers.size === 1 && canConnect()) {
        starting = start();
      }
      agree();
    },
    async refresh() {
      // A failed start is tried again.
      await (starting ??= start());
      core?.(UsersOp.Refresh);
    },
    release(reader) {
      readers.delete(reader);
      if (readers.size > 0) {
        return agree();
      }
      closed = true;
      feeds.delete(key);
      core?.(UsersOp.Close);
      core = undefined;
    },
  };
  feeds.set(key, feed);
  return feed;
}
