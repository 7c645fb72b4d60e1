/**
 * Messages as they are read: under the day on which they were said, and what one side says in one go together. Pure.
 *
 * Nothing is left out or put elsewhere: the messages of all runs, one after the other, are those that came in.
 */
import type { ConversationMessage } from '../../shared.js';
import { dayOf } from '../times.js';

/** What one side says in one go. */
export interface Run {
  readonly key: string;
  readonly sender: ConversationMessage['sender'];
  /** When it began, in milliseconds since the epoch. */
  readonly at: number;
  /** Whether it is the first of its day. */
  readonly opensDay: boolean;
  readonly messages: readonly ConversationMessage[];
}

/** After such a pause it is not one go any more. */
const PAUSE = 5 * 60_000;

/** @param now The time of what the server has given none yet. */
export function arrange(messages: readonly ConversationMessage[], now: number): Run[] {
  const runs: (Run & { messages: ConversationMessage[] })[] = [];
  let last = 0;
  for (const message of messages) {
    const run = runs.at(-1);
    const said = Date.parse(message.timestamp ?? '');
    const at = Number.isNaN(said) ? Math.max(now, last) : said;
    const opensDay = !run || dayOf(last) !== dayOf(at);
    if (run && !opensDay && run.sender === message.sender && at - last <= PAUSE) {
      run.messages.push(message);
    } else {
      runs.push({ key: message.key, sender: message.sender, at, opensDay, messages: [message] });
    }
    last = at;
  }
  return runs;
}
