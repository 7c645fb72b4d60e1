/**
 * What is kept of a visit so that all tabs of the site, and the next visit, know of it: values and functions over them.
 *
 * What must stay true: whichever tab writes first and however often records are merged, all tabs come to the same one,
 * so that they agree on when the visit began. Nothing in it tells one browser from another.
 */

/** The visit of this browser, in whichever tabs. Times are milliseconds since the epoch. */
export interface VisitRecord {
  readonly startedAt: number;
  /** When something was last done in any tab, as far as that has been written down. */
  readonly lastAt: number;
  /** How often the site has been visited, this time included. */
  readonly visits: number;
  readonly firstPage: string;
  readonly referrer?: string | undefined;
}

/** A visit ends when nothing has been done in any tab for so long: half an hour, as web statistics have it. */
export const VISIT_GAP = 30 * 60_000;

/** The record in a text; none if it is no record, whoever wrote it. */
export function readRecord(text: string): VisitRecord | undefined {
  try {
    const record = JSON.parse(text || '{}') as VisitRecord;
    const { startedAt, lastAt, visits, firstPage, referrer = '' } = record;
    const isOne =
      [startedAt, lastAt, visits].every(Number.isSafeInteger) &&
      [firstPage, referrer].every((part) => typeof part === 'string');
    return isOne ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Something is done now: the visit goes on, or another begins on that page. */
export function touched(
  record: VisitRecord | undefined,
  page: Pick<VisitRecord, 'firstPage' | 'referrer'>,
  now: number,
): VisitRecord {
  if (record && now - record.lastAt < VISIT_GAP) {
    // Whoever has set the clock back has not begun the visit in the future.
    return { ...record, lastAt: now, startedAt: Math.min(record.startedAt, now) };
  }
  return { ...page, startedAt: now, lastAt: now, visits: (record?.visits ?? 0) + 1 };
}

/** What two tabs know. Of two that began the same visit at once, the earlier one did. */
export function merged(one: VisitRecord, two: VisitRecord | undefined): VisitRecord {
  if (!two || two.visits !== one.visits) {
    return two && two.visits > one.visits ? two : one;
  }
  const isFirst =
    one.startedAt === two.startedAt ? rank(one) <= rank(two) : one.startedAt < two.startedAt;
  const lastAt = Math.max(one.lastAt, two.lastAt);
  const first = isFirst ? one : two;
  return first.lastAt === lastAt ? first : { ...first, lastAt };
}

const rank = ({ firstPage, referrer = '' }: VisitRecord): string => `${firstPage} ${referrer}`;
