/**
 * The part of a view that is there at once; everything else is loaded when the view is first watched.
 * Small, because everyone who has a store has this too.
 */
import { audience, tell, type Listeners } from '../audience.js';
import { unavailable, withoutWasm } from '../core.js';
import {
  NOTHING,
  type Ask,
  type OnlineUsersQuery,
  type OnlineUsersView,
  type OnlineUsersViewSnapshot,
  type ViewSource,
} from './types.js';

export function openView(source: ViewSource, query: OnlineUsersQuery = {}): OnlineUsersView {
  const listeners: Listeners = new Set();
  let snapshot = NOTHING;
  let loading: Promise<void> | undefined;
  let ask: Ask | undefined;
  const show = (next: OnlineUsersViewSnapshot) => {
    snapshot = next;
    tell(listeners);
  };
  const wake = () => {
    const wanted = listeners.size > 0 && query;
    if (wanted) {
      loading ??= import('../view.js').then(
        ({ attach }) => {
          ask = attach(source, show, unavailable, withoutWasm);
          wake();
        },
        (cause) => {
          // Tried again when it is asked again.
          loading = undefined;
          show({ ...snapshot, isLoading: false, error: unavailable(cause) });
        },
      );
    }
    ask?.(wanted);
  };
  return {
    ...audience(listeners, wake),
    getSnapshot: () => snapshot,
    getServerSnapshot: () => NOTHING,
    update(next) {
      query = next;
      wake();
    },
  };
}
