/** Where the time goes in our store while events arrive: the sampling profiler's view of it, for whoever makes it faster. */
import { writeFile } from 'node:fs/promises';
import type { Visitor } from './browser.ts';

const SHOWN = 15;
/** In microseconds. */
const SAMPLING = 200;

/** Profiles `work` in a page, writes what DevTools can open, and returns a table of the functions that took most. */
export async function profile(visitor: Visitor, file: string, work: () => Promise<void>): Promise<string> {
  const devtools = await visitor.devtools();
  await devtools.send('Profiler.enable');
  await devtools.send('Profiler.setSamplingInterval', { interval: SAMPLING });
  await devtools.send('Profiler.start');
  await work();
  const { profile } = await devtools.send('Profiler.stop');
  await devtools.detach();
  await writeFile(file, JSON.stringify(profile));

  const names = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, lineNumber } }) => [
      id,
      `${functionName || '(anonymous)'}${lineNumber < 0 ? '' : `:${lineNumber + 1}`}`,
    ]),
  );
  const times = new Map<string, number>();
  profile.samples?.forEach((sample, at) => {
    const name = names.get(sample) ?? '(unknown)';
    times.set(name, (times.get(name) ?? 0) + (profile.timeDeltas?.[at] ?? 0));
  });
  times.delete('(idle)');
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times]
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, SHOWN)
    .map(([name, time]) => `${((time * 100) / total).toFixed(1).padStart(6)} %  ${name}`)
    .join('\n');
}
