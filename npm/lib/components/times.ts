/**
 * Times in words. Pure: the moment that counts as now is an argument, and so is the language, which is the reader's own
 * if it is undefined.
 */

/** Seconds as a clock counts them: `0:07`, `12:40`, `3:02:09`. */
export function duration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
}

/** The time of day. */
export function timeOfDay(at: number, locale: string | undefined): string {
  return dateFormat(locale, 'time').format(at);
}

/** Which day it was, so that two moments can be told apart by it. */
export function dayOf(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

/** The day's name: today, yesterday, or its date. */
export function dayName(at: number, now: number, locale: string | undefined): string {
  for (const days of [0, -1]) {
    const day = new Date(now);
    day.setDate(day.getDate() + days);
    if (dayOf(day.getTime()) === dayOf(at)) {
      return capital(relativeFormat(locale, 'long').format(days, 'day'), locale);
    }
  }
  return dateFormat(locale, 'day').format(at);
}

const STEPS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/** How long ago it was, to the unit that matters. A week and more is a date. */
export function ago(at: number, now: number, locale: string | undefined): string {
  const seconds = Math.max(0, (now - at) / 1000);
  if (seconds >= 7 * 86_400) {
    return dateFormat(locale, 'date').format(at);
  }
  for (const [unit, length] of STEPS) {
    if (seconds >= length) {
      return relativeFormat(locale, 'narrow').format(-Math.floor(seconds / length), unit);
    }
  }
  return relativeFormat(locale, 'narrow').format(0, 'second');
}

function capital(text: string, locale: string | undefined): string {
  const [first = ''] = text;
  return first.toLocaleUpperCase(locale) + text.slice(first.length);
}

const DATES = {
  time: { hour: 'numeric', minute: '2-digit' },
  day: { weekday: 'long', day: 'numeric', month: 'long' },
  date: { day: 'numeric', month: 'short' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

/** Formats are slow to make, and lists show many times. */
const dates = new Map<string, Intl.DateTimeFormat>();
const relatives = new Map<string, Intl.RelativeTimeFormat>();

function dateFormat(locale: string | undefined, kind: keyof typeof DATES): Intl.DateTimeFormat {
  return kept(dates, `${kind} ${locale}`, () => new Intl.DateTimeFormat(locale, DATES[kind]));
}

function relativeFormat(
  locale: string | undefined,
  style: 'long' | 'narrow',
): Intl.RelativeTimeFormat {
  return kept(
    relatives,
    `${style} ${locale}`,
    () => new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style }),
  );
}

function kept<T>(formats: Map<string, T>, key: string, make: () => T): T {
  const found = formats.get(key) ?? make();
  formats.set(key, found);
  return found;
}
