/** The text of `/metrics`, and queries over it. */
import { parser } from '@prometheus-io/lezer-promql';

/** By name: every label, with the values it was seen with. */
export type Offered = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

/** What Prometheus adds to whatever it scrapes. */
const ADDED = ['job', 'instance'];

/** Of Prometheus's own. */
const OWN = ['up'];

/** One metric in a query, with what is asked of its labels. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly value: string }[];
}

export interface Query {
  readonly selectors: readonly Selector[];
  /** The labels that its aggregations keep. */
  readonly grouping: readonly string[];
}

export function offered(text: string): Offered {
  const metrics = new Map<string, Map<string, Set<string>>>();
  for (const line of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
    const sample = /^([a-z_]+)(?:\{(.*)\})? \S+$/.exec(line);
    if (!sample) throw new Error(`not a sample: ${line}`);
    const [, name = '', pairs = ''] = sample;
    const labels = metrics.get(name) ?? new Map<string, Set<string>>();
    metrics.set(name, labels);
    for (const [, label = '', value = ''] of pairs.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)) {
      labels.set(label, (labels.get(label) ?? new Set()).add(value));
    }
  }
  return metrics;
}

/** Reads a query; one that is not PromQL is an error. */
export function query(text: string): Query {
  const selectors: { metric: string; matchers: { label: string; value: string }[] }[] = [];
  const grouping: string[] = [];
  const parents: string[] = [];
  parser.parse(text).iterate({
    enter({ type, from, to }) {
      const here = text.slice(from, to);
      if (type.isError) throw new Error(`not PromQL, at ${from}: ${text}`);
      if (type.name === 'VectorSelector') selectors.push({ metric: '', matchers: [] });
      const selector = selectors.at(-1);
      const parent = parents.at(-1);
      if (type.name === 'Identifier' && parent === 'VectorSelector' && selector)
        selector.metric = here;
      if (type.name === 'LabelName' && parent === 'GroupingLabels') grouping.push(here);
      if (type.name === 'UnquotedLabelMatcher') {
        const matcher = /^(\w+)\s*(?:=~|!~|!=|=)\s*"(.*)"$/s.exec(here);
        if (!matcher) throw new Error(`not understood: ${here}`);
        selector?.matchers.push({ label: matcher[1] ?? '', value: matcher[2] ?? '' });
      }
      parents.push(type.name);
    },
    leave() {
      parents.pop();
    },
  });
  return { selectors, grouping };
}

/** What a query asks for that the processes do not say of whom it asks, or none does: names and labels. */
export function notOffered(
  { selectors, grouping }: Query,
  jobs: ReadonlyMap<string, Offered>,
): string[] {
  const known = selectors.map((selector) => ({ ...selector, ...said(selector, jobs) }));
  const missing = known
    .filter(({ metric, isSaid }) => !isSaid && !OWN.includes(metric))
    .map(({ metric }) => metric);
  const labels = known.flatMap(({ metric, matchers, labels }) =>
    matchers
      .filter(({ label }) => !labels.includes(label))
      .map(({ label }) => `${metric}{${label}}`),
  );
  const groups = grouping.filter((label) => !known.some(({ labels }) => labels.includes(label)));
  return [...missing, ...labels, ...groups];
}

/** What those processes say of a metric that a selector asks. */
function said(
  { metric, matchers }: Selector,
  jobs: ReadonlyMap<string, Offered>,
): { readonly isSaid: boolean; readonly labels: readonly string[] } {
  const asked = [...jobs].filter(([job]) =>
    matchers.every(({ label, value }) => label !== 'job' || new RegExp(`^(?:${value})$`).test(job)),
  );
  const series = asked.flatMap(([, metrics]) => metrics.get(metric) ?? []);
  return {
    isSaid: series.length > 0,
    labels: [...series.flatMap((labels) => [...labels.keys()]), ...ADDED],
  };
}
