/** The report of what each fault cost: one line a fault from the tests, a table and a JSON file when all have run. */
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Figures } from './figures.ts';

const DIRECTORY = fileURLToPath(new URL('../.report/', import.meta.url));
const LINES = `${DIRECTORY}faults.ndjson`;
const REPORT = `${DIRECTORY}faults.json`;

export interface FaultLine {
  readonly fault: string;
  readonly users: number;
  readonly falseOfflines: number;
  /** Further ones that the contract asks for. */
  readonly byContract: number;
  readonly ghostSecondsMax: number;
  readonly ghostSecondsSum: number;
  /** The fewest and the most that an admin heard of one leave. */
  readonly announcementsPerLeave: { readonly min: number; readonly max: number } | null;
  /** Announcements that told an admin what stood on the screen already. */
  readonly repeats: number;
}

export interface Cost extends Figures {
  readonly byContract: number;
}

/** Adds a fault to the report. */
export async function recordFault(fault: string, users: number, cost: Cost): Promise<void> {
  const { falseOfflines, byContract, ghosts, announcements, repeatedOfflines, repeatedOnlines } =
    cost;
  const times = announcements.map((announced) => announced.times);
  const seconds = (milliseconds: number): number => Math.round(milliseconds / 10) / 100;
  const line: FaultLine = {
    fault,
    users,
    falseOfflines: falseOfflines.length,
    byContract,
    ghostSecondsMax: seconds(Math.max(0, ...ghosts)),
    ghostSecondsSum: seconds(ghosts.reduce((sum, ghost) => sum + ghost, 0)),
    announcementsPerLeave:
      times.length > 0 ? { min: Math.min(...times), max: Math.max(...times) } : null,
    repeats: repeatedOfflines + repeatedOnlines,
  };
  await mkdir(DIRECTORY, { recursive: true });
  await appendFile(LINES, `${JSON.stringify(line)}\n`);
}

/** Runs before all tests; what it returns runs after them. */
export default async function report(): Promise<() => Promise<void>> {
  await rm(DIRECTORY, { recursive: true, force: true });
  return async () => {
    const text = await readFile(LINES, 'utf8').catch(() => '');
    const lines = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as FaultLine)
      .sort((a, b) => (a.fault < b.fault ? -1 : 1));
    if (lines.length === 0) return;
    await writeFile(REPORT, `${JSON.stringify(lines, null, 2)}\n`);
    await rm(LINES);
    console.log(`\n${table(lines)}\n`);
  };
}

function table(lines: readonly FaultLine[]): string {
  const head = ['fault', 'users', 'false offlines', 'ghost seconds max', 'announcements per leave'];
  const rows = lines.map((line) => [
    line.fault,
    String(line.users),
    `${line.falseOfflines}${line.byContract > 0 ? ` (and ${line.byContract} by contract)` : ''}`,
    line.ghostSecondsMax.toFixed(2),
    range(line.announcementsPerLeave),
  ]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const written = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ');
  const rule = widths.map((width) => '-'.repeat(width)).join('-|-');
  return [written(head), rule, ...rows.map(written)].join('\n');
}

function range(counts: FaultLine['announcementsPerLeave']): string {
  if (counts === null) return '-';
  return counts.min === counts.max ? String(counts.min) : `${counts.min} to ${counts.max}`;
}
