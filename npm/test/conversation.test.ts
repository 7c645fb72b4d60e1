/** The widget's conversation: each message once, whatever order the server tells in. */
import { expect, test } from 'vitest';
import type { ChatMessage } from '../lib/types.js';
import {
  accepted,
  type Conversation,
  failed,
  received,
  sentAgain,
  written,
} from '../lib/widget/conversation.js';

const message = (id: string, text: string, sender: ChatMessage['sender']): ChatMessage => ({
  id,
  text,
  sender,
  timestamp: '2024-01-15T10:30:00.000Z',
});
const shown = (conversation: Conversation) =>
  conversation.map(({ text, own, state }) => [text, own, state]);

test('broadcast before receipt, receipt before broadcast: one entry', () => {
  const sending = written([], 'k1', 'hi');
  expect(shown(sending)).toEqual([['hi', true, 'sending']]);
  const told = received(sending, message('m1', 'hi', 'user'));
  const settled = accepted(told, 'k1', 'm1');
  expect(shown(settled)).toEqual([['hi', true, 'sent']]);
  const other = received(accepted(sending, 'k1', 'm1'), message('m1', 'hi', 'user'));
  expect(other).toEqual(settled);
});

test('the same text twice is two messages', () => {
  let conversation = written(written([], 'k1', 'hi'), 'k2', 'hi');
  conversation = received(conversation, message('m1', 'hi', 'user'));
  expect(shown(conversation).map(([, , state]) => state)).toEqual(['sent', 'sending']);
  conversation = received(conversation, message('m2', 'hi', 'user'));
  expect(conversation.map(({ id }) => id)).toEqual(['m1', 'm2']);
});

test('answers, and what another tab wrote, appear once', () => {
  let conversation = received([], message('m1', 'from the other tab', 'user'));
  conversation = received(conversation, message('m2', 'an answer', 'agent'));
  expect(received(conversation, message('m2', 'an answer', 'agent'))).toBe(conversation);
  expect(shown(conversation)).toEqual([
    ['from the other tab', true, 'sent'],
    ['an answer', false, 'sent'],
  ]);
});

test('a failed message can be sent again; one that arrived after all has not failed', () => {
  const lost = failed(written([], 'k1', 'hi'), 'k1');
  expect(shown(lost)).toEqual([['hi', true, 'failed']]);
  expect(shown(sentAgain(lost, 'k1'))).toEqual([['hi', true, 'sending']]);
  const arrived = received(written([], 'k1', 'hi'), message('m1', 'hi', 'user'));
  expect(shown(failed(arrived, 'k1'))).toEqual([['hi', true, 'sent']]);
});

test('a long conversation keeps its end', () => {
  let conversation: Conversation = [];
  for (let index = 0; index < 250; index += 1) {
    conversation = received(conversation, message(`m${index}`, String(index), 'agent'));
  }
  expect(conversation).toHaveLength(200);
  expect(conversation.at(-1)?.text).toBe('249');
});
