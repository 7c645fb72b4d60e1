/**
 * Counts over an hour as places on a plane. Pure.
 *
 * What must stay true: the axis begins at 0 and reaches over all that is shown; where nobody counted there is nothing
 * drawn; a minute's place is that of its time, whichever other minutes there are.
 */
import type { OnlineSample } from '../../shared.js';

/** The plane: minutes to the right, parts of the axis downwards. */
export const WIDTH = 60;
export const HEIGHT = 100;

/** A minute of which something is known. */
export interface Point {
  readonly sample: OnlineSample;
  readonly x: number;
}

export interface Plot {
  /** What the axis reaches to. */
  readonly top: number;
  /** Every minute, in order. */
  readonly points: readonly Point[];
  /** Lines of `path`s, one for each stretch in which somebody counted, and the areas below them. */
  readonly lines: readonly string[];
  readonly areas: readonly string[];
  /** When most were there at once; null where nobody counted. */
  readonly peak: { readonly x: number; readonly y: number; readonly value: number; readonly at: string } | null;
}

export function plot(samples: readonly OnlineSample[]): Plot {
  const last = Date.parse(samples.at(-1)?.at ?? '');
  const points = samples
    .map((sample) => ({ sample, x: WIDTH - (last - Date.parse(sample.at)) / 60_000 }))
    .filter(({ x }) => x >= 0 && x <= WIDTH);
  const highest = points.reduce<Point | undefined>(
    (most, point) => (most && value(most) > value(point) ? most : point),
    undefined,
  );
  const top = axisTop(highest ? value(highest) : 0);
  const y = (count: number) => HEIGHT - (count / top) * HEIGHT;
  const stretches = split(points);
  return {
    top,
    points,
    lines: stretches.map((stretch) => line(stretch, y)),
    areas: stretches.map((stretch) => {
      const [first, end] = [stretch[0]?.x ?? 0, stretch.at(-1)?.x ?? 0];
      return `${line(stretch, y)}L${round(end)} ${HEIGHT}L${round(first)} ${HEIGHT}Z`;
    }),
    peak:
      highest && value(highest) >= 0
        ? { x: highest.x, y: y(value(highest)), value: value(highest), at: highest.sample.at }
        : null,
  };
}

/** The samples, the last one with how many are there now, if that is known better. */
export function upToNow(samples: readonly OnlineSample[], online: number | null): readonly OnlineSample[] {
  const last = samples.at(-1);
  if (!last || online === null || last.online === online) {
    return samples;
  }
  return [...samples.slice(0, -1), { ...last, online, peak: Math.max(last.peak ?? 0, online) }];
}

/** When the first one was counted, if that is so late that most of the plane is empty before it. */
export function countedSince(points: readonly Point[]): string | undefined {
  const first = points.find(({ sample }) => sample.online !== null);
  return first && first.x > WIDTH / 2 ? first.sample.at : undefined;
}

/** The point next to a place that is between 0 and 1. */
export function nearest(points: readonly Point[], place: number): number {
  let best = 0;
  points.forEach(({ x }, index) => {
    if (Math.abs(x - place * WIDTH) < Math.abs((points[best]?.x ?? 0) - place * WIDTH)) {
      best = index;
    }
  });
  return best;
}

/** The next number above that is easily halved. */
export function axisTop(most: number): number {
  let unit = 1;
  while (unit * 10 < most) {
    unit *= 10;
  }
  return unit * ([2, 4, 6, 8, 10].find((times) => times * unit >= most) ?? 10);
}

/** The most at once in the minute; -1 where nobody counted. */
function value({ sample: { online, peak } }: Point): number {
  return Math.max(online ?? -1, peak ?? -1);
}

function split(points: readonly Point[]): Point[][] {
  const stretches: Point[][] = [];
  let open: Point[] | undefined;
  for (const point of points) {
    const isNext = open && point.x - (open.at(-1)?.x ?? 0) < 1.5;
    if (point.sample.online === null) {
      open = undefined;
    } else if (open && isNext) {
      open.push(point);
    } else {
      open = [point];
      stretches.push(open);
    }
  }
  return stretches;
}

function line(stretch: readonly Point[], y: (count: number) => number): string {
  const steps = stretch.map(({ sample, x }) => `${round(x)} ${round(y(sample.online ?? 0))}`);
  // A line to the same place, so that a minute alone is a dot.
  return `M${steps.join('L')}${steps.length === 1 ? 'h0' : ''}`;
}

function round(place: number): number {
  return Math.round(place * 100) / 100;
}
