/** A view of the built package's store, on a socket and on animation frames that come when we say so. */
import { createOnlineUsersStore } from '@amoiq/chat-widget';
import { OurStore, TENANT } from './our-store.ts';
import type { Answer, Query, ViewSubject } from './view-subject.ts';

/** What `store.view(query)` returns, as far as it is used. */
interface View {
  subscribe(listener: () => void): () => void;
  getSnapshot(): Answer & { readonly isLoading: boolean; readonly error?: Error | null };
  update(query: object): void;
  close(): void;
}

interface WithViews {
  view?: (query: object) => View;
}

const FIRST: Query = { search: '', sort: null, group: null, offset: 0, limit: 50 };

export class OurView implements ViewSubject {
  readonly #ours: OurStore;
  #view: View | undefined;

  private constructor(ours: OurStore) {
    this.#ours = ours;
  }

  /** `null` if the package has no views. */
  static make(): OurView | null {
    if (!('view' in createOnlineUsersStore(TENANT))) return null;
    store ??= new OurStore();
    return new OurView(store);
  }

  async open(list: string): Promise<void> {
    await this.#ours.connect((store) => {
      const view = (store as WithViews).view?.(written(FIRST));
      view?.subscribe(() => view.getSnapshot());
      this.#view = view;
    });
    this.#ours.deliver(list);
    await this.#answer(({ users }) => users.length > 0);
  }

  ask(query: Query, right: Answer): Answer | Promise<Answer> {
    this.#view?.update(written(query));
    return this.#answer((found) => looksLike(found, right));
  }

  change(events: readonly string[], right: Answer): Answer | Promise<Answer> {
    for (const event of events) this.#ours.deliver(event);
    return this.#answer((found) => looksLike(found, right));
  }

  close(): void {
    this.#view?.close();
    this.#ours.close();
  }

  /** At once if it is there after a frame, and else as soon as it is. */
  #answer(there: (found: ReturnType<View['getSnapshot']>) => boolean): Answer | Promise<Answer> {
    const look = (): Answer | undefined => {
      this.#ours.frames.paint();
      const found = this.#view?.getSnapshot();
      if (found?.error) throw found.error;
      // While it works, what it shows is the answer from before, which may look like the right one.
      return found && !found.isLoading && there(found) ? found : undefined;
    };
    return look() ?? until(look);
  }
}

/** The page has one WebSocket and one `requestAnimationFrame` to take the place of. */
let store: OurStore | undefined;

/** The query as the package has it written. */
function written({ search, sort, group, offset, limit }: Query): object {
  const direction = sort?.descending ? 'desc' : 'asc';
  return {
    ...{ search, offset, limit },
    ...(group && { group }),
    ...(sort && { sort: { field: sort.field, direction } }),
  };
}

function looksLike({ users, total, groups, groupTotal }: Answer, right: Answer): boolean {
  const last = users.length - 1;
  return (
    total === right.total &&
    groupTotal === right.groupTotal &&
    groups[0]?.count === right.groups[0]?.count &&
    users.length === right.users.length &&
    users[0]?.userId === right.users[0]?.userId &&
    users[last]?.sessionId === right.users[last]?.sessionId
  );
}

/** Looks again after each task of the page, for as long as a wrong answer would deserve it. */
async function until(look: () => Answer | undefined): Promise<Answer> {
  const end = performance.now() + 20_000;
  const { port1, port2 } = new MessageChannel();
  try {
    for (;;) {
      // A timer would add a delay of its own.
      await new Promise((resolve) => {
        port1.onmessage = resolve;
        port2.postMessage(null);
      });
      const found = look();
      if (found) return found;
      if (performance.now() > end) throw new Error('waited in vain for an answer');
    }
  } finally {
    port1.close();
  }
}
