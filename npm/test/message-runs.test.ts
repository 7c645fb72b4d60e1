/** Messages as they are read: days, and what one side says in one go. */
import { expect, test } from 'vitest';
import { arrange } from '../lib/components/panel/arrange.js';
import type { ConversationMessage } from '../lib/conversation/log.js';
import { Random } from './random.js';

const NOON = new Date(2024, 0, 15, 12).getTime();
const MINUTE = 60_000;

function message(key: string, sender: ConversationMessage['sender'], at: number | null): ConversationMessage {
  const timestamp = at === null ? null : new Date(at).toISOString();
  const state = at === null ? 'pending' : 'delivered';
  return { key, id: key, clientId: null, text: key, sender, timestamp, state, error: null, message: null };
}

const keys = (messages: readonly ConversationMessage[], now = NOON) =>
  arrange(messages, now).map(({ messages }) => messages.map(({ key }) => key).join(''));

test('one side in one go goes together; the other side, a pause and a new day begin anew', () => {
  const said = [
    message('a', 'user', NOON),
    message('b', 'user', NOON + 4 * MINUTE),
    message('c', 'agent', NOON + 5 * MINUTE),
    message('d', 'agent', NOON + 11 * MINUTE),
    message('e', 'agent', NOON + 24 * 60 * MINUTE),
  ];
  expect(keys(said)).toEqual(['ab', 'c', 'd', 'e']);
  expect(arrange(said, NOON).map(({ opensDay }) => opensDay)).toEqual([true, false, false, true]);
});

test('what has no time yet is said now, and not before what stands above it', () => {
  const said = [message('a', 'agent', NOON), message('b', 'agent', null)];
  expect(keys(said)).toEqual(['ab']);
  expect(keys(said, NOON + 6 * MINUTE)).toEqual(['a', 'b']);
  expect(arrange(said, NOON - 60 * MINUTE).every(({ at }) => at === NOON)).toBe(true);
});

test('nothing is lost or moved, whatever is said', () => {
  const random = new Random(7);
  for (let round = 0; round < 200; round++) {
    let at = NOON;
    const said = Array.from({ length: random.below(12) }, (_, index) => {
      at += random.below(12 * MINUTE * (random.next() < 0.1 ? 200 : 1));
      const sender = (['user', 'agent', 'bot'] as const)[random.below(3)] ?? 'user';
      return message(String(index), sender, random.next() < 0.1 ? null : at);
    });
    const runs = arrange(said, at);
    expect(runs.flatMap(({ messages }) => messages)).toEqual(said);
    expect(runs.every(({ messages, sender }) => messages.every((one) => one.sender === sender))).toBe(true);
  }
});
