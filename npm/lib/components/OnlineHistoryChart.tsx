/**
 * How many were online over the last hour. The picture says what a table says, too, for those who do not see it; the
 * minute that is looked at is chosen by pointer or arrow keys.
 */
import { type CSSProperties, type KeyboardEvent, type PointerEvent, useId, useMemo, useState } from 'react';
import { useOnlineHistory } from '../hooks/useOnlineHistory.js';
import type { ChatError, OnlineSample } from '../shared.js';
import { classes } from './classes.js';
import { countedSince, HEIGHT, nearest, plot, type Plot, upToNow, WIDTH } from './history/plot.js';
import { timeOfDay } from './times.js';

/** The words of the chart. */
export interface OnlineHistoryChartTexts {
  /** What the chart shows. */
  title: string;
  /** What the picture says, in a sentence. */
  summary: (now: string, peak: string, peakAt: string) => string;
  /** What is known of a minute. */
  reading: (online: string, peak: string) => string;
  /** Nobody counted. */
  unknown: string;
  /** What stands where nothing is drawn, when most of the hour is older than the counting. */
  since: (at: string) => string;
  /** A minute: what is chosen in the chart, and the head of the table’s first column. */
  minute: string;
  /** The head of the column of how many were online. */
  online: string;
  /** The head of the column of the most at once. */
  peak: string;
  /** Where the hour begins. */
  ago: string;
  /** Where it ends. */
  now: string;
  /** What went wrong, by its `code`. Default: what the error says, in English. */
  problem: (error: ChatError) => string;
  /** Before anything is known. */
  loading: string;
  /** Nobody has counted yet. */
  empty: string;
  /** The server does not count. */
  unavailable: string;
}

/** Whose visitors, and how they are shown. */
export interface OnlineHistoryChartProps {
  /** Whose visitors; null while it is not known. */
  tenantId: string | null;
  /** How many are online at this moment, where that is known: the last minute is asked for only once. */
  online?: number | null | undefined;
  /** Other words than the English ones. */
  texts?: Partial<OnlineHistoryChartTexts> | undefined;
  /** The language of times and numbers. Default: the reader's. */
  locale?: string | undefined;
  /** A further class. */
  className?: string | undefined;
}

/** How many were online in each minute of the last hour, and the most at once. */
export function OnlineHistoryChart(props: OnlineHistoryChartProps) {
  const { tenantId, online = null, locale, className } = props;
  const text = { ...ENGLISH, ...props.texts };
  const { samples, isLoading, error } = useOnlineHistory(tenantId);
  const drawn = useMemo(() => plot(upToNow(samples, online)), [samples, online]);
  return (
    <figure className={classes('acw-history', className)} aria-busy={isLoading}>
      <figcaption className="acw-history-title">{text.title}</figcaption>
      {drawn.peak ? (
        <Chart drawn={drawn} text={text} locale={locale} />
      ) : (
        <p className="acw-empty">{error ? reason(error, text) : isLoading ? text.loading : text.empty}</p>
      )}
    </figure>
  );
}

/** Old servers do not count, which is nothing that has gone wrong. */
function reason(error: ChatError, text: OnlineHistoryChartTexts): string {
  return error.code === 'NOT_FOUND' ? text.unavailable : text.problem(error);
}

interface ChartProps {
  drawn: Plot;
  text: OnlineHistoryChartTexts;
  locale: string | undefined;
}

function Chart({ drawn, text, locale }: ChartProps) {
  const { points, top, peak } = drawn;
  const [chosen, setChosen] = useState<string | null>(null);
  const found = points.findIndex(({ sample }) => sample.at === chosen);
  // The present minute, unless another one is looked at.
  const index = found < 0 ? points.length - 1 : found;
  const point = points[index];
  const since = countedSince(points);
  const say = wording(text, locale);
  const choose = (next: number) => setChosen(points[next]?.sample.at ?? null);

  return (
    <>
      <div className="acw-history-axis" aria-hidden="true">
        {[top, top / 2, 0].map((value) => (
          <span key={value}>{say.count(value)}</span>
        ))}
      </div>
      <div className="acw-history-plot">
        <Picture drawn={drawn} at={found < 0 ? undefined : point?.x} text={text} locale={locale} />
        {since && (
          <span className="acw-history-since" aria-hidden="true">
            {text.since(say.time(since))}
          </span>
        )}
        {peak && peak.value > 0 && (
          <span
            className="acw-history-peak"
            aria-hidden="true"
            data-side={peak.x > WIDTH * 0.95 ? 'before' : undefined}
            data-value={say.count(peak.value)}
            style={{ '--acw-x': peak.x / WIDTH, '--acw-y': peak.y / HEIGHT } as CSSProperties}
          />
        )}
        <div
          className="acw-history-chooser"
          role="slider"
          tabIndex={0}
          aria-label={text.minute}
          aria-valuemin={0}
          aria-valuemax={points.length - 1}
          aria-valuenow={index}
          aria-valuetext={point && say.sample(point.sample)}
          onKeyDown={(event) => onKeyDown(event, index, points.length, choose)}
          onPointerMove={(event) => choose(nearest(points, place(event)))}
          onPointerLeave={() => setChosen(null)}
          onBlur={() => setChosen(null)}
        />
      </div>
      <div className="acw-history-times" aria-hidden="true">
        <span>{text.ago}</span>
        <span className="acw-history-reading">{point && say.sample(point.sample)}</span>
        <span>{text.now}</span>
      </div>
      <Table drawn={drawn} text={text} locale={locale} />
    </>
  );
}

/** A line on a page without the stylesheet, which wins over it: as thick as any, however the plane is stretched. */
const LINE = { fill: 'none', stroke: 'currentColor', vectorEffect: 'non-scaling-stroke' } as const;

function Picture({ drawn, at, text, locale }: ChartProps & { at: number | undefined }) {
  const { lines, areas, points, peak } = drawn;
  const [title, summary] = [useId(), useId()];
  const say = wording(text, locale);
  return (
    <svg
      className="acw-history-svg"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width="100%"
      height={HEIGHT}
      preserveAspectRatio="none"
      role="img"
      aria-labelledby={title}
      aria-describedby={summary}
    >
      <title id={title}>{text.title}</title>
      <desc id={summary}>
        {peak && text.summary(say.value(points.at(-1)?.sample.online), say.count(peak.value), say.time(peak.at))}
      </desc>
      {[0, HEIGHT / 2, HEIGHT].map((y) => (
        <line key={y} className="acw-history-grid" {...LINE} strokeOpacity={0.2} x1={0} x2={WIDTH} y1={y} y2={y} />
      ))}
      {areas.map((d) => (
        <path key={d} className="acw-history-area" fill="currentColor" fillOpacity={0.13} d={d} />
      ))}
      {lines.map((d) => (
        <path key={d} className="acw-history-line" {...LINE} d={d} />
      ))}
      {at !== undefined && <line className="acw-history-cursor" {...LINE} x1={at} x2={at} y1={0} y2={HEIGHT} />}
    </svg>
  );
}

function Table({ drawn, text, locale }: ChartProps) {
  const say = wording(text, locale);
  return (
    // A table is as high as its rows, whatever it is told, and would make the page as high.
    <div className="acw-visually-hidden">
      <table>
        <caption>{text.title}</caption>
        <thead>
          <tr>
            <th scope="col">{text.minute}</th>
            <th scope="col">{text.online}</th>
            <th scope="col">{text.peak}</th>
          </tr>
        </thead>
        <tbody>
          {drawn.points.map(({ sample: { at, online, peak } }) => (
            <tr key={at}>
              <th scope="row">{say.time(at)}</th>
              <td>{say.value(online)}</td>
              <td>{say.value(peak)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function wording(text: OnlineHistoryChartTexts, locale: string | undefined) {
  const count = (value: number) => value.toLocaleString(locale);
  const value = (known: number | null | undefined) => (known == null ? text.unknown : count(known));
  const time = (at: string) => timeOfDay(Date.parse(at), locale);
  const sample = ({ at, online, peak }: OnlineSample) =>
    `${time(at)} · ${online === null ? text.unknown : text.reading(count(online), value(peak))}`;
  return { count, value, time, sample };
}

function onKeyDown(
  event: KeyboardEvent,
  index: number,
  length: number,
  choose: (index: number) => void,
): void {
  const next = {
    ArrowLeft: index - 1,
    ArrowDown: index - 1,
    ArrowRight: index + 1,
    ArrowUp: index + 1,
    Home: 0,
    End: length - 1,
  }[event.key];
  if (next !== undefined) {
    event.preventDefault();
    choose(Math.min(Math.max(next, 0), length - 1));
  }
}

function place({ currentTarget, clientX }: PointerEvent): number {
  const { left, width } = currentTarget.getBoundingClientRect();
  return width > 0 ? (clientX - left) / width : 1;
}

const ENGLISH: OnlineHistoryChartTexts = {
  title: 'Online in the last hour',
  summary: (now, peak, peakAt) => `${now} online now; at most ${peak} at once, at ${peakAt}.`,
  reading: (online, peak) => `${online} online, peak ${peak}`,
  unknown: 'not counted',
  since: (at) => `Counting since ${at}`,
  minute: 'Minute',
  online: 'Online',
  peak: 'Peak',
  ago: '60 min ago',
  now: 'now',
  problem: ({ message }) => message,
  loading: 'Loading…',
  empty: 'Nothing has been counted yet.',
  unavailable: 'This server does not count.',
};
