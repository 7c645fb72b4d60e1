/** What a careful author would write in JavaScript: a `Map` by id, and an array of it once for each reading. */
import { type OnlineUser, parse, type Subject } from './subject.ts';

export class TunedMap implements Subject {
  readonly deltas = true;
  readonly users = new Map<string, OnlineUser>();
  #shown: OnlineUser[] | undefined;

  async open(): Promise<void> {
    this.close();
  }

  deliver(frame: string): void {
    const [name, payload] = parse(frame);
    this.apply(name, payload);
  }

  apply(name: string, payload: unknown): void {
    this.#shown = undefined;
    switch (name) {
      case 'user_online': {
        const user = payload as OnlineUser;
        this.users.set(user.userId, user);
        return;
      }
      case 'user_offline':
        this.users.delete((payload as { userId: string }).userId);
        return;
      case 'online_users_list':
        this.users.clear();
        for (const user of (payload as { users: OnlineUser[] }).users) {
          this.users.set(user.userId, user);
        }
        return;
      case 'presence_delta': {
        const { online, offline } = payload as { online: OnlineUser[]; offline: string[] };
        for (const user of online) this.users.set(user.userId, user);
        for (const userId of offline) this.users.delete(userId);
      }
    }
  }

  snapshot(): readonly OnlineUser[] {
    return (this.#shown ??= Array.from(this.users.values()));
  }

  close(): void {
    this.users.clear();
    this.#shown = undefined;
  }
}
