/** What is to be measured, and how thoroughly. */
import { parseArgs } from 'node:util';

export const PARTS = ['bytes', 'events', 'views', 'startup', 'memory', 'widget'] as const;
export type Part = (typeof PARTS)[number];

export interface Options {
  /** One short round: says whether it works, not how fast. */
  readonly quick: boolean;
  readonly rounds: number;
  readonly parts: readonly Part[];
  /** Where to write all figures. */
  readonly json: string | undefined;
  /** Where to write a processor profile of our store under events. */
  readonly profile: string | undefined;
  /** Another directory to pack, where another build of the package lies. */
  readonly package: string | undefined;
  /** The programs that the real page needs: our server, and what fills it with visitors. */
  readonly server: string | undefined;
  readonly shop: string | undefined;
}

export function optionsFrom(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
      profile: { type: 'string' },
      package: { type: 'string' },
      server: { type: 'string' },
      shop: { type: 'string' },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 7));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds wants a whole number above 0');
  const parts = values.only.map((name) => {
    const part = PARTS.find((part) => part === name);
    if (!part) throw new Error(`--only wants one of ${PARTS.join(', ')}, not ${name}`);
    return part;
  });
  return {
    quick: values.quick,
    rounds,
    parts: parts.length > 0 ? parts : PARTS,
    json: values.json,
    profile: values.profile,
    package: values.package,
    server: values.server,
    shop: values.shop,
  };
}
