/** The errors that scripts of a page throw, those included that they catch themselves. */
import type { Page } from './browser.ts';

/** Notes them from now on, each with the functions that it came through. */
export async function noteThrown(page: Page): Promise<readonly string[]> {
  const thrown: string[] = [];
  const devtools = await page.context().newCDPSession(page);
  devtools.on('Debugger.paused', ({ data, callFrames }) => {
    const [what = ''] = String(data?.['description']).split('\n');
    thrown.push(`${what} in ${callFrames.map(({ functionName }) => functionName).join(' < ')}`);
    void devtools.send('Debugger.resume');
  });
  await devtools.send('Debugger.enable');
  await devtools.send('Debugger.setPauseOnExceptions', { state: 'all' });
  return thrown;
}
