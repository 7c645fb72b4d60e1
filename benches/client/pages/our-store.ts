/**
 * The store of the built package, on a socket whose frames come when we say so. A subscriber reads a snapshot at each
 * notification, as `useSyncExternalStore` does.
 */
import {
  configure,
  createOnlineUsersStore,
  type OnlineUsersSnapshot,
  type OnlineUsersStore,
} from '@amoiq/chat-widget';
import { FakeSocket, Frames } from './fake-socket.ts';
import type { OnlineUser, Subject } from './subject.ts';
import { until } from './until.ts';

export const TENANT = '42';

export class OurStore implements Subject {
  readonly frames = new Frames();
  deltas = false;
  #store: OnlineUsersStore | undefined;
  #socket: FakeSocket | undefined;
  #shown: OnlineUsersSnapshot | undefined;

  constructor() {
    Object.assign(globalThis, { WebSocket: FakeSocket });
    this.frames.install();
    configure({ gatewayUrl: 'https://bench.example', apiKey: 'bench-admin-key' });
  }

  open(): Promise<void> {
    return this.connect((store) => {
      store.subscribe(() => {
        this.#shown = store.getSnapshot();
      });
    });
  }

  /** Opens a store that `watch` subscribes to, and is ready for its list when it resolves. */
  async connect(watch: (store: OnlineUsersStore) => void): Promise<void> {
    // The list comes over the socket alone: nobody answers requests here.
    this.#store = createOnlineUsersStore(TENANT, { autoRefresh: false });
    watch(this.#store);
    const asking = () => [...FakeSocket.open].find(({ asked }) => asked);
    this.#socket = await until('the store to ask for the list', asking);
    this.deltas = this.#socket.versioned;
    this.frames.paint();
  }

  deliver(frame: string): void {
    this.#socket?.deliver(frame);
  }

  snapshot(): readonly OnlineUser[] {
    this.frames.paint();
    return this.#shown?.onlineUsers ?? [];
  }

  close(): void {
    this.#store?.close();
    this.#store = undefined;
    this.#socket = undefined;
    this.#shown = undefined;
  }
}
