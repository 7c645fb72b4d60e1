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
import type {
  Followed,
  OnlineUsersViewSnapshot,
  ViewCell,
  ViewRows,
  ViewSource,
} from './view/types.js';

/** Milliseconds of work at a time, half of what a frame has. */
const SLICE = 8;

const DEFAULT_LIMIT = 50;

let compiling: Promise<WebAssembly.Module> | undefined;

/** A failed start may be tried again. */
function load(): Promise<WebAssembly.Module> {
  compiling ??= (async () => WebAssembly.compile(wasmBytes()))().catch((cause: unknown) => {
    compiling = undefined;
    throw cause;
  });
  return compiling;
}

export function attach(cell: ViewCell, source: ViewSource): void {
  let followed: Followed | undefined;
  let shared: SharedIndex | undefined;
  let module: WebAssembly.Module | undefined;
  let failure: ChatError | null = null;
  let view = 0;
  let asked = '';

  const show = (caughtUp: boolean) => {
    const state = followed?.state() ?? { isLoading: true, error: null };
    const error = failure ?? state.error;
    const present = cell.snapshot;
    const window = shared && caughtUp ? read(shared.index, view, cell) : present;
    const isWaiting = followed?.rows() ? !caughtUp && !failure : !error;
    set(cell, { ...window, isLoading: state.isLoading || isWaiting, error });
  };
  const leave = () => {
    shared?.leave(view, show);
    shared = undefined;
    followed?.release();
    followed = undefined;
    asked = '';
  };
  const changed = () => {
    const rows = followed?.rows();
    if (rows && module && !shared) {
      shared = shareIndex(module, rows);
      view = shared.join(show);
    }
    if (!shared) {
      show(false);
      return;
    }
    const { filter, search, sort } = cell.query;
    const question = JSON.stringify([filter, search, sort]);
    if (question !== asked) {
      asked = question;
      shared.index.ask(view, plan(cell.query));
    }
    shared.work();
  };
  const start = async () => {
    try {
      module = await load();
      failure = null;
    } catch (cause) {
      failure = source.fail('WASM_UNAVAILABLE', `Views need WebAssembly: ${String(cause)}`);
    }
    if (followed) {
      changed();
    }
  };
  cell.wake = () => {
    if (!cell.isWatched()) {
      leave();
      return;
    }
    followed ??= source.follow(changed);
    changed();
    if (!module) {
      void start();
    }
  };
  cell.wake();
}

function read(
  index: ViewIndex,
  view: number,
  { query, snapshot }: ViewCell,
): Pick<OnlineUsersViewSnapshot, 'users' | 'offset' | 'total'> {
  const offset = count(query.offset, 0);
  const users = index.window(view, offset, count(query.limit, DEFAULT_LIMIT));
  const before = snapshot.users;
  const same = users.length === before.length && users.every((user, at) => user === before[at]);
  return { users: same ? before : users, offset, total: index.total(view) };
}

function set(cell: ViewCell, next: OnlineUsersViewSnapshot): void {
  const names = Object.keys(next) as (keyof OnlineUsersViewSnapshot)[];
  if (names.some((name) => next[name] !== cell.snapshot[name])) {
    cell.snapshot = next;
    cell.tell();
  }
}

/** Called after each piece of work: whether the index has caught up with rows and queries. */
type Show = (caughtUp: boolean) => void;

/** One index, everyone who shows what it says, and the work that is left. */
class SharedIndex {
  readonly index: ViewIndex;
  readonly #rows: ViewRows;
  readonly #shows = new Set<Show>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(module: WebAssembly.Module, rows: ViewRows) {
    const { exports } = new WebAssembly.Instance(module);
    this.#rows = rows;
    this.index = new ViewIndex(exports as unknown as ViewExports, rows);
  }

  join(show: Show): number {
    this.#shows.add(show);
    return this.index.open();
  }

  leave(view: number, show: Show): void {
    this.#shows.delete(show);
    this.index.close(view);
    if (this.#shows.size === 0) {
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
    for (const show of this.#shows) {
      show(caughtUp);
    }
  }
}

const indexes = new WeakMap<ViewRows, SharedIndex>();

function shareIndex(module: WebAssembly.Module, rows: ViewRows): SharedIndex {
  const index = indexes.get(rows) ?? new SharedIndex(module, rows);
  indexes.set(rows, index);
  return index;
}
