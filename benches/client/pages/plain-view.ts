/**
 * What a component does that has an array of all users: filters, sorts and cuts it whenever it renders. It is slow and
 * plainly right, so it also says what the others must answer.
 */
import type { OnlineUser } from './subject.ts';
import { TunedMap } from './tuned-map.ts';
import { type Answer, largest, type Query, textOf, type ViewSubject, words } from './view-subject.ts';

export class PlainView implements ViewSubject {
  readonly #rows = new TunedMap();
  #query: Query | undefined;

  async open(list: string): Promise<void> {
    this.#rows.deliver(list);
  }

  ask(query: Query): Answer {
    this.#query = query;
    return answer(this.#rows.snapshot(), query);
  }

  change(events: readonly string[]): Answer {
    for (const event of events) this.#rows.deliver(event);
    if (!this.#query) throw new Error('nothing was asked');
    return this.ask(this.#query);
  }

  close(): void {
    this.#rows.close();
  }
}

export function answer(
  rows: readonly OnlineUser[],
  { search, sort, group, offset, limit }: Query,
): Answer {
  const wanted = words(search);
  const found = rows.filter((row) => {
    const text = textOf(row);
    return wanted.every((word) => text.includes(word));
  });
  if (sort) {
    const { field } = sort;
    const sign = sort.descending ? -1 : 1;
    found.sort((one, other) => {
      const [left, right] = [one[field] ?? '', other[field] ?? ''];
      return left < right ? -sign : left > right ? sign : 0;
    });
  }
  const counts = new Map<string, number>();
  for (const row of group ? found : []) {
    const value = row.url?.toLowerCase() ?? '';
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return { users: found.slice(offset, offset + limit), total: found.length, ...largest(counts) };
}
