/**
 * The guide's own reducer over an array: looks through it for each event, and makes another. Each event makes a state of its
 * own, which is what a component shows.
 */
import { type OnlineUser, parse, type Subject } from './subject.ts';

export class GuideReducer implements Subject {
  readonly deltas = false;
  #users: OnlineUser[] = [];

  async open(): Promise<void> {
    this.#users = [];
  }

  deliver(frame: string): void {
    const [name, payload] = parse(frame);
    this.apply(name, payload);
  }

  apply(name: string, payload: unknown): void {
    switch (name) {
      case 'user_online':
        return this.#set((users) => withUser(users, payload as OnlineUser));
      case 'user_offline': {
        const { userId } = payload as { userId: string };
        return this.#set((users) => users.filter((user) => user.userId !== userId));
      }
      case 'online_users_list':
        return this.#set(() => (payload as { users: OnlineUser[] }).users);
    }
  }

  snapshot(): readonly OnlineUser[] {
    return this.#users;
  }

  close(): void {
    this.#users = [];
  }

  /** What React's `setState` comes to, without React. */
  #set(update: (users: OnlineUser[]) => OnlineUser[]): void {
    this.#users = update(this.#users);
  }
}

function withUser(users: OnlineUser[], user: OnlineUser): OnlineUser[] {
  const known = users.find(({ userId }) => userId === user.userId);
  return known
    ? users.map((other) => (other.userId === user.userId ? user : other))
    : [...users, user];
}
