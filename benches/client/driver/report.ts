/**
 * Figures to a table for people and JSON for programs.
 *
 * A ratio says how many times what ours costs the other one costs: above 1, ours is the cheaper one. It is the median of the
 * rounds' ratios, because in one round all sides had the same share of the machine.
 */
import { type Spread, spreadOf } from './spread.ts';

/** Whom ours is compared with: the guide's code, or the best JavaScript we could write. */
export type Side = 'ours' | 'guide' | 'tuned';

/** Whose figure it is; `alone` is a page that has none of them. */
type Column = Side | 'alone';

export type Unit = 'µs' | 'ms' | 'MB' | 'kB' | 'bytes' | '';

export interface Target {
  readonly against: 'guide' | 'tuned';
  /** The least ratio that is wanted. */
  readonly ratio: number;
}

export interface Figure {
  readonly group: string;
  readonly name: string;
  readonly unit: Unit;
  readonly targets: readonly Target[];
  readonly values: Readonly<Record<Column, number[]>>;
}

export class Report {
  readonly #figures = new Map<string, Figure>();
  readonly #notes: string[] = [];

  add(figure: Omit<Figure, 'values'>, side: Column, value: number): void {
    const key = `${figure.group}\n${figure.name}`;
    let known = this.#figures.get(key);
    if (!known) {
      known = { ...figure, values: { ours: [], guide: [], tuned: [], alone: [] } };
      this.#figures.set(key, known);
    }
    known.values[side].push(value);
  }

  /** Something that whoever reads the table must know. */
  note(text: string): void {
    if (!this.#notes.includes(text)) this.#notes.push(text);
  }

  json(about: object): string {
    return JSON.stringify({ ...about, notes: this.#notes, figures: [...this.#figures.values()] }, null, 2);
  }

  table(): string {
    const figures = [...this.#figures.values()];
    const lines: string[] = [];
    for (const group of new Set(figures.map((figure) => figure.group))) {
      const rows = figures.filter((figure) => figure.group === group);
      const third = rows.some(({ values }) => values.alone.length > 0) ? 'alone' : 'tuned';
      const heads = { tuned: ['tuned JS', 'guide/ours', 'tuned/ours'], alone: ['page alone', 'guide/ours', ''] };
      lines.push('', line([group, 'ours', 'guide', ...heads[third]], 'targets'));
      lines.push(...rows.map((figure) => row(figure, third)));
    }
    return [...lines, '', ...this.#notes.map((note) => `- ${note}`)].join('\n');
  }
}

const WIDTHS = [42, 24, 26, 24, 10, 10];

function line(cells: readonly string[], last: string): string {
  const padded = cells.map((cell, at) => {
    const width = WIDTHS[at] ?? 0;
    return at === 0 ? cell.padEnd(width) : cell.padStart(width);
  });
  return [...padded, ` ${last}`].join(' ').trimEnd();
}

/** `third` is who stands in the third column. */
function row({ name, unit, values, targets }: Figure, third: 'tuned' | 'alone'): string {
  const spreads = {
    ours: spreadOf(values.ours),
    guide: spreadOf(values.guide),
    third: spreadOf(values[third]),
  };
  const ratio = (side: 'guide' | 'tuned'): number | undefined => {
    const ratios = values[side].flatMap((theirs, round) => {
      const ours = values.ours[round];
      if (ours === undefined) return [];
      // There is no ratio to nothing, nor between differences that are lost in the noise.
      return ours > 0 && theirs > 0 ? [theirs / ours] : [NaN];
    });
    return ratios.includes(NaN) ? undefined : spreadOf(ratios)?.median;
  };
  return line(
    [
      `  ${name}`,
      shown(spreads.ours, unit),
      shown(spreads.guide, unit),
      shown(spreads.third, unit),
      times(ratio('guide')),
      times(ratio('tuned')),
    ],
    targets.map((target) => verdict(target, ratio(target.against))).join(', '),
  );
}

function verdict({ against, ratio }: Target, found: number | undefined): string {
  const outcome = found === undefined ? 'not measured' : found >= ratio ? 'ok' : 'MISSED';
  return `${against} >= ${digits(ratio)}x ${outcome}`;
}

function shown(spread: Spread | undefined, unit: Unit): string {
  if (!spread) return '-';
  const { least, median, most } = spread;
  const range = least === most ? '' : ` (${digits(least)}-${digits(most)})`;
  return `${digits(median)} ${unit}`.trimEnd() + range;
}

const times = (ratio: number | undefined): string => (ratio === undefined ? '-' : `${digits(ratio)}x`);

/** Three digits that count, or all of a whole number. */
function digits(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return Number(value.toPrecision(3)).toString();
}
