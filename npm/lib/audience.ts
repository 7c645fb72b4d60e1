/** Who listens to an external store. */
export type Listeners = Set<() => void>;

/**
 * How they come and go. `changed` is called after each one who comes, and after those who leave when it is
 * clear that they do not come back in one go (as in React's strict mode, or with a changed key).
 */
export const audience = (listeners: Listeners, changed: () => void) => ({
  subscribe(listener: () => void) {
    // A wrapper of its own, so that one function may subscribe twice.
    const entry = () => listener();
    listeners.add(entry);
    changed();
    return () => {
      listeners.delete(entry);
      queueMicrotask(changed);
    };
  },
  close() {
    listeners.clear();
    changed();
  },
});

export const tell = (listeners: Listeners) => listeners.forEach((listener) => listener());

/** What is known with a change in it; the same object if that changes nothing. */
export function updated<T extends object>(known: T, change: Partial<T>): T {
  const next = { ...known, ...change };
  const names = Object.keys(next) as (keyof T)[];
  return names.some((name) => next[name] !== known[name]) ? next : known;
}
