/**
 * The part of a view that is there at once; everything else is loaded when the view is first watched.
 * Small, because everyone who has a store has this too.
 */
import type {
  OnlineUsersQuery,
  OnlineUsersView,
  OnlineUsersViewSnapshot,
  ViewCell,
  ViewSource,
} from './types.js';

const nothing: OnlineUsersViewSnapshot = {
  users: [],
  offset: 0,
  total: 0,
  isLoading: true,
  error: null,
};

export function openView(source: ViewSource, query: OnlineUsersQuery = {}): OnlineUsersView {
  const listeners = new Set<() => void>();
  const load = () => {
    if (listeners.size === 0) return;
    cell.wake = () => {};
    import('../view.js').then(
      ({ attach }) => attach(cell, source),
      (cause: unknown) => {
        cell.wake = load;
        const error = source.fail('WASM_UNAVAILABLE', String(cause));
        cell.snapshot = { ...cell.snapshot, isLoading: false, error };
        cell.tell();
      },
    );
  };
  const cell: ViewCell = {
    query,
    snapshot: nothing,
    isWatched: () => listeners.size > 0,
    tell: () => listeners.forEach((listener) => listener()),
    wake: load,
  };
  return {
    subscribe(listener) {
      // A wrapper of its own, so that one function may subscribe twice.
      const entry = () => listener();
      listeners.add(entry);
      cell.wake();
      return () => {
        listeners.delete(entry);
        queueMicrotask(() => cell.wake());
      };
    },
    getSnapshot: () => cell.snapshot,
    getServerSnapshot: () => nothing,
    update(next) {
      cell.query = next;
      cell.wake();
    },
    close() {
      listeners.clear();
      cell.wake();
    },
  };
}
