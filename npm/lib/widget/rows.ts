/** Messages as they stand in the panel: under their day, and grouped by who said them. The clock and its words are given. */
import type { ConversationMessage } from '../conversation/log.js';

export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The calendar day, as the visitor calls it. */
  day(at: number): string;
  /** The time of day. */
  time(at: number): string;
}

export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly text: string }
  | {
      readonly kind: 'message';
      readonly key: string;
      readonly message: ConversationMessage;
      /** It begins, or ends, what one of them says in one go. */
      readonly isFirst: boolean;
      readonly isLast: boolean;
      /** When it was said, in words; empty while the server has not said so. */
      readonly time: string;
      /** Its state is worth a word: it is the visitor's latest one. */
      readonly isLatestOwn: boolean;
    };

/** What is said after a longer pause is said anew. */
const PAUSE = 5 * 60_000;

export function rowsOf(messages: readonly ConversationMessage[], clock: Clock): readonly Row[] {
  const rows: Row[] = [];
  const times = messages.map((message) => timeOf(message, clock.now));
  const days = times.map((at) => clock.day(at));
  const latestOwn = messages.map(({ sender }) => sender).lastIndexOf('user');
  const goesOn = (at: number) => {
    const [before, after] = [messages[at - 1], messages[at]];
    return (
      before?.sender === after?.sender &&
      days[at - 1] === days[at] &&
      (times[at] ?? 0) - (times[at - 1] ?? 0) < PAUSE
    );
  };
  messages.forEach((message, at) => {
    const day = days[at] ?? '';
    if (day !== days[at - 1]) {
      rows.push({ kind: 'day', key: `day ${day}`, text: day });
    }
    rows.push({
      kind: 'message',
      key: message.key,
      message,
      isFirst: !goesOn(at),
      isLast: !goesOn(at + 1),
      time: message.timestamp === null ? '' : clock.time(times[at] ?? clock.now),
      isLatestOwn: at === latestOwn,
    });
  });
  return rows;
}

/** What the server does not have yet, or has without a time, is of now. */
export function timeOf({ timestamp }: ConversationMessage, now: number): number {
  const at = Date.parse(timestamp ?? '');
  return Number.isNaN(at) ? now : at;
}

/** The visitor's own calendar and clock. */
export function clockOf(locale: string, now: number): Clock {
  const date = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' });
  const time = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  return {
    now,
    day: (at) => {
      const back = daysBetween(at, now);
      const word = back === 0 || back === 1 ? relative.format(-back, 'day') : date.format(at);
      return word.charAt(0).toLocaleUpperCase(locale) + word.slice(1);
    },
    time: (at) => time.format(at),
  };
}

/** How many midnights lie between; a day may have 23 or 25 hours. */
function daysBetween(at: number, now: number): number {
  const midnight = (time: number) => new Date(time).setHours(0, 0, 0, 0);
  return Math.round((midnight(now) - midnight(at)) / 86_400_000);
}
