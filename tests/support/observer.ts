/**
 * An admin who watches as the simplest client does: asks for the list whenever it is connected, and puts the events on top of
 * it. Everything is written down with its time.
 */
import { ADMIN_KEY, TENANT } from './backends.ts';
import { OfficialClient, type OnlineUser } from './official-client.ts';

/** Something an admin noticed, on the clock of `performance.now()`. */
export type Noticed = { readonly at: number } & (
  | { readonly kind: 'connected' | 'disconnected' }
  | { readonly kind: 'list'; readonly users: readonly Shown[] }
  | ({ readonly kind: 'online' } & Shown)
  | { readonly kind: 'offline'; readonly userId: string }
);

export interface Shown {
  readonly userId: string;
  readonly sessionId: string | undefined;
}

export class Observer {
  readonly name: string;
  readonly client: OfficialClient;
  readonly log: Noticed[] = [];
  /** Who is on the screen, and by which session. */
  readonly roster = new Map<string, string | undefined>();
  #hasList = false;

  private constructor(name: string, url: string) {
    this.name = name;
    this.client = OfficialClient.open(url, {
      query: { role: 'admin' },
      auth: { token: ADMIN_KEY },
    });
    const { socket } = this.client;
    socket.on('connect', () => {
      this.log.push({ at: performance.now(), kind: 'connected' });
      socket.emit('get_online_users', { tenantId: TENANT });
    });
    socket.on('disconnect', () => {
      this.#hasList = false;
      this.log.push({ at: performance.now(), kind: 'disconnected' });
    });
    socket.on('online_users_list', ({ users }: { users: OnlineUser[] }) => this.#takeList(users));
    socket.on('user_online', ({ userId, sessionId }: OnlineUser) => {
      this.log.push({ at: performance.now(), kind: 'online', userId, sessionId });
      this.roster.set(userId, sessionId);
    });
    socket.on('user_offline', ({ userId }: { userId: string }) => {
      this.log.push({ at: performance.now(), kind: 'offline', userId });
      this.roster.delete(userId);
    });
  }

  static watch(name: string, url: string): Observer {
    return new Observer(name, url);
  }

  /** Whether it is connected and has a list. */
  get isWatching(): boolean {
    return this.client.socket.connected && this.#hasList;
  }

  /** How often it was told this of a user. */
  times(kind: 'online' | 'offline', userId: string): number {
    return this.log.filter((noticed) => noticed.kind === kind && noticed.userId === userId).length;
  }

  #takeList(users: readonly OnlineUser[]): void {
    const shown = users.map(({ userId, sessionId }) => ({ userId, sessionId }));
    this.log.push({ at: performance.now(), kind: 'list', users: shown });
    this.#hasList = true;
    this.roster.clear();
    for (const { userId, sessionId } of shown) this.roster.set(userId, sessionId);
  }
}
