/**
 * `window.ChatWidget`: an array of commands before the script has loaded, an object with methods after. A command that is
 * not known or fails is told to the page's developer and stops no other.
 */
import type { ChatWidget } from './public.js';

/** What each command does. */
export type Commands = Omit<ChatWidget, 'push'>;

/** Puts the commands in place of the queue. What was pushed is run by `drain`, when the widget is there. */
export function install(
  page: { ChatWidget?: unknown },
  commands: Commands,
  warn: (problem: unknown) => void,
): { drain: () => void } {
  const before = page.ChatWidget;
  let waiting: unknown[] | undefined = Array.isArray(before) ? [...(before as unknown[])] : [];
  const run = (command: unknown) => {
    if (waiting) {
      waiting.push(command);
      return;
    }
    try {
      const [name, ...rest] = Array.isArray(command) ? (command as unknown[]) : [command];
      // Not everything has a name that could be said.
      if (!Object.hasOwn(commands, String(name))) {
        return warn(`there is no command ${String(name)}: ${Object.keys(commands).join(', ')} are known`);
      }
      (commands[name as keyof Commands] as (...values: unknown[]) => void)(...rest);
    } catch (error) {
      warn(error);
    }
  };
  const api = { push: (...list: unknown[]) => list.forEach(run) } as Record<string, unknown>;
  for (const name of Object.keys(commands)) {
    api[name] = (...rest: unknown[]) => run([name, ...rest]);
  }
  // An element with that id has the name, too, until somebody takes it.
  if (before === undefined || Array.isArray(before) || before instanceof Element) {
    page.ChatWidget = api;
  } else {
    warn('window.ChatWidget is something else on this page: commands do not reach the widget');
  }
  return {
    drain: () => {
      const list = waiting ?? [];
      waiting = undefined;
      list.forEach(run);
    },
  };
}

