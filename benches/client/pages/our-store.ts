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

  get store(): OnlineUsersStore {
    if (!this.#store) throw new Error('the store is not open');
    return this.#store;
  }

  async open(): Promise<void> {
    // The list comes over the socket alone: nobody answers requests here.
    const store = createOnlineUsersStore(TENANT, { autoRefresh: false });
    this.#store = store;
    store.subscribe(() => {
      this.#shown = store.getSnapshot();
    });
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
