/** The picture of the last hour: where things stand in it, and what is not drawn. */
import { expect, test } from 'vitest';
import { axisTop, countedSince, HEIGHT, nearest, plot, upToNow, WIDTH } from '../lib/components/history/plot.js';
import type { OnlineSample } from '../lib/types.js';

const START = Date.parse('2024-01-15T10:00:00.000Z');
const at = (minute: number) => new Date(START + minute * 60_000).toISOString();
const sample = (minute: number, online: number | null, peak = online): OnlineSample => ({
  at: at(minute),
  online,
  peak,
});

test('the axis begins at 0 and reaches over the peak, by a number that can be halved', () => {
  expect([0, 1, 2, 3, 5, 9, 10, 11, 41, 99, 101].map(axisTop)).toEqual([
    2, 2, 2, 4, 6, 10, 10, 20, 60, 100, 200,
  ]);
  for (let most = 0; most < 3_000; most++) {
    expect(axisTop(most)).toBeGreaterThanOrEqual(most);
    expect(Number.isInteger(axisTop(most) / 2)).toBe(true);
  }
});

test('a minute stands where its time is, however few there are', () => {
  const { points, lines } = plot([sample(50, 0), sample(60, 2)]);
  expect(points.map(({ x }) => x)).toEqual([WIDTH - 10, WIDTH]);
  expect(lines).toEqual([`M50 ${HEIGHT}h0`, `M60 0h0`]);
});

test('where nobody counted, nothing is drawn', () => {
  const { lines, areas } = plot([sample(0, 1), sample(1, 2), sample(2, null), sample(3, 2), sample(4, 1)]);
  expect(lines).toEqual(['M56 50L57 0', 'M59 0L60 50']);
  expect(areas).toEqual(['M56 50L57 0L57 100L56 100Z', 'M59 0L60 50L60 100L59 100Z']);
});

test('where most of the hour is older than the counting, it is said since when', () => {
  const since = (...samples: OnlineSample[]) => countedSince(plot(samples).points);
  expect(since(sample(60, 2))).toBe(at(60));
  expect(since(sample(0, null), sample(31, 0), sample(60, 2))).toBe(at(31));
  // A gap later on is one that is seen.
  expect(since(sample(0, 1), sample(1, null), sample(60, 2))).toBeUndefined();
  expect(since(sample(30, 1), sample(60, 2))).toBeUndefined();
  expect(since(sample(60, null))).toBeUndefined();
});

test('the peak is the most at once, the latest of equals, also within a minute', () => {
  const { peak, top } = plot([sample(0, 3, 7), sample(1, 7, 7), sample(2, 2, 4)]);
  expect(peak).toMatchObject({ value: 7, at: at(1) });
  expect(top).toBe(8);
});

test('without any count there is no peak and no line', () => {
  for (const samples of [[], [sample(0, null), sample(1, null)]]) {
    expect(plot(samples)).toMatchObject({ peak: null, lines: [], areas: [] });
  }
});

test('what is older than an hour, or has no time, is left out', () => {
  const { points } = plot([sample(0, 1), { at: 'noon', online: 1, peak: 1 }, sample(70, 1)]);
  expect(points.map(({ sample }) => sample.at)).toEqual([at(70)]);
});

test('the nearest minute is found from any place', () => {
  const { points } = plot([sample(0, 1), sample(30, 2), sample(60, 3)]);
  expect([0, 0.2, 0.3, 0.7, 0.8, 1].map((place) => nearest(points, place))).toEqual([0, 0, 1, 1, 2, 2]);
});

test('the last minute is as it is now, and its peak no less', () => {
  const samples = [sample(0, 3, 7), sample(1, 2, 4)];
  expect(upToNow(samples, 5)).toEqual([samples[0], sample(1, 5, 5)]);
  expect(upToNow(samples, 1)).toEqual([samples[0], sample(1, 1, 4)]);
  expect([upToNow(samples, 2), upToNow(samples, null)]).toEqual([samples, samples]);
  expect(upToNow([], 5)).toEqual([]);
});
