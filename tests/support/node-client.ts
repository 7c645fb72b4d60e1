/** Our published package in this process, as a program on Node uses it: with a WebSocket that it is given. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Chat from '@amoiq/chat-widget';
import { WebSocket } from 'ws';
import { consumer, FIXTURES } from './consumer.ts';

export type { Chat };

/** Installs the packed package and loads it. Its configuration is that of the calling test file. */
export async function nodePackage(name: string): Promise<typeof Chat> {
  const directory = await consumer(`${FIXTURES}node`, name);
  const entry = join(directory, 'node_modules/@amoiq/chat-widget/dist/esm/index.js');
  const chat = (await import(/* @vite-ignore */ pathToFileURL(entry).href)) as typeof Chat;
  chat.configure({ WebSocket });
  return chat;
}

/** A socket whose callbacks are written down. */
export class NodeSocket {
  readonly socket: Chat.ChatWebSocket;
  readonly states: Chat.Connection[] = [];
  readonly errors: Chat.ChatError[] = [];
  readonly calls: string[] = [];

  constructor(chat: typeof Chat, tenantId: string, isAdmin: boolean, options: { signal?: AbortSignal } = {}) {
    const note = (call: string) => () => void this.calls.push(call);
    this.socket = new chat.ChatWebSocket(
      tenantId,
      {
        onConnect: note('connect'),
        onDisconnect: note('disconnect'),
        onError: (error) => this.errors.push(error as Chat.ChatError),
        onOnlineUsersList: note('list'),
        onStateChange: (connection) => this.states.push(connection),
      },
      undefined,
      isAdmin,
      options,
    );
  }

  get state(): string {
    return this.socket.state;
  }

  count(call: string): number {
    return this.calls.filter((one) => one === call).length;
  }

  [Symbol.dispose](): void {
    this.socket.disconnect();
  }
}

/** A store that is followed, and every snapshot that was shown. */
export class NodeStore {
  readonly shown: Chat.OnlineUsersSnapshot[] = [];
  readonly store: Chat.OnlineUsersStore;
  readonly #leave: () => void;

  constructor(chat: typeof Chat, tenantId: string, options?: Chat.UseOnlineUsersOptions) {
    this.store = chat.createOnlineUsersStore(tenantId, options);
    this.#leave = this.store.subscribe(() => this.shown.push(this.store.getSnapshot()));
  }

  get now(): Chat.OnlineUsersSnapshot {
    return this.store.getSnapshot();
  }

  [Symbol.dispose](): void {
    this.#leave();
  }
}
