/**
 * Live views: what is loaded when the first view is watched. `attach` takes over a view that the store has
 * handed out already.
 *
 * - A view follows its store's rows while someone subscribes, and lets go of them after the last one.
 * - Views of the same rows share one index; it goes with the last of them.
 * - A view's snapshot is the same object until something visible changes.
 * - No piece of work keeps the page from drawing a frame: what takes longer goes on in the next turn.
 */
import { wasmBytes } from 'chat-view';
import type { ChatError } from './errors.js';
import { ViewIndex, type ViewExports } from './view/rows-index.js';
import { count, plan } from './view/query.js';
import {
  NOTHING,
  type Attach,
  type Followed,
  type Now,
  type OnlineUsersGroup,
  type OnlineUsersQuery,
  type OnlineUsersViewSnapshot,
  type ViewRows,
  type WithoutWasm,
} from './view/types.js';

/** Milliseconds of work at a time, half of what a frame has. */
const SLICE = 8;

const DEFAULT_LIMIT = 50;

const UNKNOWN: Now = { rows: undefined, isLoading: true, error: null };

/** Makes a new instance of the index's module. */
type Make = () => ViewExports;

let starting: Promise<Make> | undefined;

/** A failed start may be tried again. */
function load(withoutWasm: WithoutWasm): Promise<Make> {
  starting ??= start(withoutWasm).catch((cause: unknown) => {
    starting = undefined;
    throw cause;
  });
  return starting;
}

async function start(withoutWasm: WithoutWasm): Promise<Make> {
  try {
    const module = await WebAssembly.compile(wasmBytes());
    return () => new WebAssembly.Instance(module).exports as unknown as ViewExports;
  } catch (cause) {
    const { startView } = await withoutWasm(cause);
    return (await startView()) as Make;
  }
}

export const attach: Attach = (source, show, unavailable, withoutWasm) => {
  let query: OnlineUsersQuery = {};
  let snapshot: OnlineUsersViewSnapshot = NOTHING;
  let followed: Followed | undefined;
  let shared: SharedIndex | undefined;
  let make: Make | undefined;
  let failure: ChatError | null = null;
  let view = 0;
  let asked = '';

  const settle = (caughtUp: boolean) => {
    const state = followed?.now() ?? UNKNOWN;
    const error = failure ?? state.error;
    const window = shared && caughtUp ? read(shared.index, view, query, snapshot) : snapshot;
    const isWaiting = state.rows ? !caughtUp && !failure : !error;
    const next = { ...window, isLoading: state.isLoading || isWaiting, error };
    if (differs(next, snapshot)) {
      snapshot = next;
      show(next);
    }
  };
  const changed = () => {
    const rows = followed?.now().rows;
    if (rows && make && !shared) {
      shared = shareIndex(make, rows);
      view = shared.join(settle);
    }
    if (!shared) {
      settle(false);
      return;
    }
    const { filter, search, sort, group } = query;
    const question = JSON.stringify([filter, search, sort, group]);
    if (question !== asked) {
      asked = question;
      shared.index.ask(view, plan(query));
    }
    shared.work();
  };
  const start = async () => {
    try {
      make = await load(withoutWasm);
      failure = null;
    } catch (cause) {
      failure = unavailable(cause);
    }
    if (followed) {
      changed();
    }
  };
  const leave = () => {
    shared?.leave(view, settle);
    shared = undefined;
    followed?.release();
    followed = undefined;
    asked = '';
  };
  return (wanted) => {
    if (!wanted) {
      leave();
      return;
    }
    query = wanted;
    followed ??= source.follow(changed);
    changed();
    if (!make) {
      void start();
    }
  };
};

function read(
  index: ViewIndex,
  view: number,
  query: OnlineUsersQuery,
  before: OnlineUsersViewSnapshot,
): OnlineUsersViewSnapshot {
  const offset = count(query.offset, 0);
  const users = index.window(view, offset, count(query.limit, DEFAULT_LIMIT));
  const { groups, groupTotal } = index.groups(view);
  return {
    ...before,
    users: kept(before.users, users, (one, two) => one === two),
    offset,
    total: index.total(view),
    groups: kept(before.groups, groups, isSameGroup),
    groupTotal,
  };
}

/** The array from before, if it says the same. */
function kept<T>(
  before: readonly T[],
  now: readonly T[],
  isSame: (one: T, two: T | undefined) => boolean,
): readonly T[] {
  const same = now.length === before.length && now.every((each, at) => isSame(each, before[at]));
  return same ? before : now;
}

function isSameGroup(one: OnlineUsersGroup, two: OnlineUsersGroup | undefined): boolean {
  return one.value === two?.value && one.count === two.count;
}

function differs(one: OnlineUsersViewSnapshot, two: OnlineUsersViewSnapshot): boolean {
  return (Object.keys(one) as (keyof OnlineUsersViewSnapshot)[]).some(
    (name) => one[name] !== two[name],
  );
}

/** Called after each piece of work: whether the index has caught up with rows and queries. */
type Settle = (caughtUp: boolean) => void;

/** One index, everyone who reads it, and the work that is left. */
class SharedIndex {
  readonly index: ViewIndex;
  readonly #rows: ViewRows;
  readonly #members = new Set<Settle>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(make: Make, rows: ViewRows) {
    this.#rows = rows;
    this.index = new ViewIndex(make(), rows);
  }

  join(settle: Settle): number {
    this.#members.add(settle);
    return this.index.open();
  }

  leave(view: number, settle: Settle): void {
    this.#members.delete(settle);
    this.index.close(view);
    if (this.#members.size === 0) {
      clearTimeout(this.#timer);
      this.index.free();
      indexes.delete(this.#rows);
    }
  }

  work(): void {
    clearTimeout(this.#timer);
    const end = performance.now() + SLICE;
    const caughtUp = this.index.advance(() => performance.now() >= end);
    if (!caughtUp) {
      this.#timer = setTimeout(() => this.work());
    }
    for (const settle of this.#members) {
      settle(caughtUp);
    }
  }
}

const indexes = new WeakMap<ViewRows, SharedIndex>();

function shareIndex(make: Make, rows: ViewRows): SharedIndex {
  const index = indexes.get(rows) ?? new SharedIndex(make, rows);
  indexes.set(rows, index);
  return index;
}
