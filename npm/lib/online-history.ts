/**
 * How many users were online in the last hour, as an external store: `subscribe` and `getSnapshot`, nothing of any framework.
 *
 * - A snapshot is the same object until something in it changes.
 * - The first subscriber starts the work, the last one to leave ends it. Stores of the same tenant share it.
 * - It is asked for at first and once a minute, while the page can be seen.
 * - A failure keeps the last samples and stands beside them in `error`. A server that does not count is a failure, too.
 */
import { coreConfig } from './core-config.js';
import { loadCore } from './core.js';
import { asError, type ChatError, fail } from './errors.js';
import { ApiOp } from './ops.js';
import { sharedStore, type Work } from './shared-store.js';
import type { OnlineSample } from './types.js';

/** What is known of the last hour at one moment. It never changes: something new is a new snapshot. */
export interface OnlineHistorySnapshot {
  /** One for each minute, oldest first; the last one is of the present minute. */
  readonly samples: readonly OnlineSample[];
  /** Nothing has arrived yet and something is on its way. */
  readonly isLoading: boolean;
  /** Why the samples may be out of date; null while all is well. */
  readonly error: ChatError | null;
}

/** How many users were online, for any framework or none. */
export interface OnlineHistoryStore {
  /** Calls `listener` after each change; the result unsubscribes. */
  readonly subscribe: (listener: () => void) => () => void;
  /** What is known now: the same object until something in it changes. */
  readonly getSnapshot: () => OnlineHistorySnapshot;
  /** What a server renders. */
  readonly getServerSnapshot: () => OnlineHistorySnapshot;
  /** Drops all subscribers. */
  readonly close: () => void;
}

const PATH = '/api/chat/online-users/history';

/** Milliseconds from one answer to the next question. */
const INTERVAL = 60_000;

const atFirst: OnlineHistorySnapshot = { samples: [], isLoading: true, error: null };

/**
 * A store of how many users of a tenant were online, minute by minute. It does nothing before its first subscriber. For admins.
 */
export function createOnlineHistory(tenantId: string): OnlineHistoryStore {
  const { work: _, ...store } = sharedStore('history', tenantId, atFirst, {}, (_, set) =>
    new Asking(tenantId, set),
  );
  return store;
}

class Asking implements Work {
  readonly #tenantId: string;
  readonly #set: (change: Partial<OnlineHistorySnapshot>) => void;
  #isOver = false;
  #isDue = true;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #look = () => this.#askIfSeen();

  constructor(tenantId: string, set: (change: Partial<OnlineHistorySnapshot>) => void) {
    this.#tenantId = tenantId;
    this.#set = set;
    page()?.addEventListener('visibilitychange', this.#look);
    this.#askIfSeen();
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    page()?.removeEventListener('visibilitychange', this.#look);
  }

  #askIfSeen(): void {
    if (this.#isDue && page()?.visibilityState !== 'hidden') {
      this.#isDue = false;
      void this.#ask();
    }
  }

  async #ask(): Promise<void> {
    const change = await this.#answer();
    if (!this.#isOver) {
      this.#set({ ...change, isLoading: false });
      this.#timer = setTimeout(() => {
        this.#isDue = true;
        this.#askIfSeen();
      }, INTERVAL);
    }
  }

  async #answer(): Promise<Partial<OnlineHistorySnapshot>> {
    try {
      const config = coreConfig(this.#tenantId, true);
      const { chatApi } = await loadCore();
      const answer = await chatApi(config)(ApiOp.Get, { path: PATH });
      const { samples } = (answer ?? {}) as Record<string, unknown>;
      if (!Array.isArray(samples)) {
        throw fail('INVALID_RESPONSE', 'The answer has no samples');
      }
      return { samples: samples as OnlineSample[], error: null };
    } catch (cause) {
      return { error: asError(cause) };
    }
  }
}

/** There is none outside a page. */
function page(): Document | undefined {
  return typeof document === 'undefined' ? undefined : document;
}
