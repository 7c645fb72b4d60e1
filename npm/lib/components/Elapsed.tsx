/** How long something has been going on, counted on the one clock of the page. */
import { useNow } from './clock.js';
import { duration } from './times.js';

/** Since when. */
export interface ElapsedProps {
  /** ISO-8601. */
  since: string;
}

/** Time since a moment, counting: `4:07`. A dash where the moment cannot be read. */
export function Elapsed({ since }: ElapsedProps) {
  const now = useNow();
  const from = Date.parse(since);
  if (Number.isNaN(from) || now === 0) {
    return <>–</>;
  }
  // Whose clock is ahead has been here for no time yet.
  const seconds = Math.max(0, Math.floor((now - from) / 1000));
  return <time dateTime={since}>{duration(seconds)}</time>;
}
