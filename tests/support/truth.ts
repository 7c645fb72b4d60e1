/** What really happened to the users of a test: when they had a connected session, as their own clients saw it. */
import type { OfficialClient } from './official-client.ts';

/** A session, on the clock of `performance.now()`. */
export interface Span {
  readonly sessionId: string;
  readonly from: number;
  /** Infinite while it lasts. */
  readonly to: number;
}

export type Sessions = ReadonlyMap<string, readonly Span[]>;

export class Truth {
  readonly #sessions = new Map<string, Span[]>();

  get sessions(): Sessions {
    return this.#sessions;
  }

  /** Writes down the sessions of a client that is not connected yet. */
  follow(userId: string, { socket }: OfficialClient): void {
    const spans = this.#sessions.get(userId) ?? [];
    this.#sessions.set(userId, spans);
    let current: Span | undefined;
    socket.on('connect', () => {
      current = { sessionId: socket.id ?? '', from: performance.now(), to: Infinity };
      spans.push(current);
    });
    socket.on('disconnect', () => {
      const index = current ? spans.indexOf(current) : -1;
      if (current && index >= 0) spans[index] = { ...current, to: performance.now() };
      current = undefined;
    });
  }

  /** Everyone who is connected now, with the sessions that may be shown of them. */
  online(): Map<string, ReadonlySet<string>> {
    const online = new Map<string, ReadonlySet<string>>();
    for (const [user, spans] of this.#sessions) {
      const live = spans.filter(({ to }) => to === Infinity).map(({ sessionId }) => sessionId);
      if (live.length > 0) online.set(user, new Set(live));
    }
    return online;
  }
}

/**
 * The parts of a stretch of time in which a user counted as gone: without a session, and after the grace time that follows
 * each session.
 */
export function absences(
  spans: readonly Span[],
  grace: number,
  from: number,
  to: number,
): { readonly from: number; readonly to: number }[] {
  const gaps = [];
  let covered = from;
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    if (span.from >= to) break;
    if (span.from > covered) gaps.push({ from: covered, to: span.from });
    covered = Math.max(covered, span.to + grace);
  }
  if (covered < to) gaps.push({ from: covered, to });
  return gaps;
}
