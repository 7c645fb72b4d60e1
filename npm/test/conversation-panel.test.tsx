// @vitest-environment happy-dom
/** The panel of a conversation: what it says, what keys do, and whose words stay whose. */
import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { configure } from '../lib/index.js';
import { SocketEvent } from '../lib/ops.js';
import { ConversationPanel, type ConversationPanelProps } from '../lib/react.js';
import type { ChatMessage } from '../lib/types.js';
import { appears, core, fresh, settled } from './support.js';

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example', apiKey: 'key' });
});

afterEach(async () => {
  cleanup();
  await settled();
});

const said = (id: string, text: string, sender: ChatMessage['sender'] = 'user'): ChatMessage => ({
  ...{ id, text, sender, timestamp: '2024-01-15T10:30:00.000Z', sessionId: 's1' },
});
const ann = {
  userId: 'ann',
  sessionId: 's1',
  connectedAt: '2024-01-15T10:30:00.000Z',
  url: 'https://shop.example/cart',
  title: 'Your cart',
};

const panel = (props: Partial<ConversationPanelProps> = {}) => (
  <ConversationPanel tenantId="42" sessionId="s1" visitor={ann} {...props} />
);
const field = () => screen.getByRole('textbox') as HTMLTextAreaElement;
const write = (text: string) => fireEvent.change(field(), { target: { value: text } });

/** The socket at that place, connected, with what was said so far. */
async function joined(messages: ChatMessage[] = [], at = 0) {
  const socket = await appears(() => core.sockets[at]);
  socket.said = messages;
  await act(async () => {
    socket.emit(SocketEvent.Connected);
    await settled();
  });
  return socket;
}

test('what was said stands under who said it, above it whom it is with and where they are', async () => {
  render(panel());
  await joined([said('1', 'Is it in stock?'), said('2', 'Hello', 'bot')]);
  const log = within(screen.getByRole('log'));
  expect(log.getByText('Is it in stock?').closest('[data-sender]')?.getAttribute('data-sender')).toBe('user');
  expect(log.getByText('ann')).toBeTruthy();
  expect(log.getByText('Bot')).toBeTruthy();
  expect(screen.getByRole('heading', { name: 'ann' })).toBeTruthy();
  expect(screen.getByRole('link').getAttribute('href')).toBe('https://shop.example/cart');
  expect(screen.getByText('Your cart')).toBeTruthy();
});

test('a silent visitor is an invitation to speak first', async () => {
  render(panel());
  const socket = await joined();
  expect(screen.getByText('Nothing has been said yet')).toBeTruthy();
  write('Can I help?');
  fireEvent.keyDown(field(), { key: 'Enter', shiftKey: true });
  expect(socket.sent).toEqual([]);
  await act(async () => {
    fireEvent.keyDown(field(), { key: 'Enter' });
    await settled();
  });
  expect(socket.sent).toEqual([expect.objectContaining({ text: 'Can I help?', sessionId: 's1' })]);
  expect(field().value).toBe('');
  expect(screen.queryByText('Nothing has been said yet')).toBeNull();
});

test('blanks are not sent', async () => {
  render(panel());
  const socket = await joined();
  write('  ');
  fireEvent.keyDown(field(), { key: 'Enter' });
  expect(screen.getByRole('button', { name: 'Send' })).toHaveProperty('disabled', true);
  await settled();
  expect(socket.sent).toEqual([]);
});

test('a message that has failed says why, and can be sent again', async () => {
  render(panel());
  const socket = await joined();
  const { fail } = await import('../lib/errors.js');
  socket.answer = () => Promise.reject(fail('TEXT_TOO_LONG', 'The text is too long'));
  write('Hello');
  await act(async () => {
    fireEvent.keyDown(field(), { key: 'Enter' });
    await settled();
  });
  expect(screen.getByText(/Not sent: The text is too long/)).toBeTruthy();
  socket.answer = undefined;
  await act(async () => {
    fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    await settled();
  });
  expect(screen.queryByText(/Not sent/)).toBeNull();
});

test('what was written for one visitor waits there, and is not in front of another', async () => {
  const { rerender } = render(panel());
  await joined();
  write('For Ann');
  rerender(panel({ sessionId: 's2', visitor: { userId: 'bob' } }));
  expect(field().value).toBe('');
  write('For Bob');
  rerender(panel());
  expect(field().value).toBe('For Ann');
});

test('by another session of the same visitor, what was said and what is being written stay', async () => {
  const { rerender } = render(panel());
  await joined([said('1', 'Is it in stock?')]);
  write('We have');
  rerender(panel({ sessionId: 's2', visitor: { ...ann, sessionId: 's2' } }));
  expect(screen.getByText('Is it in stock?')).toBeTruthy();
  expect(field().value).toBe('We have');
  await joined([said('1', 'Is it in stock?'), said('2', 'In red?')], 1);
  expect(screen.getAllByText('Is it in stock?')).toHaveLength(1);
  expect(screen.getByText('In red?')).toBeTruthy();
  // Another visitor's words never stand in for them.
  rerender(panel({ sessionId: 's3', visitor: { userId: 'bob' } }));
  expect(screen.queryByText('In red?')).toBeNull();
});

test('Escape closes, from the field as from the log; without `onClose` nothing does', async () => {
  const onClose = vi.fn();
  const { rerender } = render(panel({ onClose }));
  await joined();
  fireEvent.keyDown(field(), { key: 'Escape' });
  fireEvent.keyDown(screen.getByRole('log'), { key: 'Escape' });
  fireEvent.click(screen.getByRole('button', { name: 'Close' }));
  expect(onClose).toHaveBeenCalledTimes(3);
  rerender(panel());
  expect(screen.queryByRole('button', { name: 'Close' })).toBeNull();
});

test('a history that cannot be read says so, and is read again on demand', async () => {
  render(panel({ texts: { retry: 'Noch einmal' } }));
  const socket = await appears(() => core.sockets[0]);
  const { fail } = await import('../lib/errors.js');
  const join = vi.spyOn(socket, 'joinConversation').mockRejectedValueOnce(
    fail('UNKNOWN_SESSION', 'There is no such session'),
  );
  await act(async () => {
    socket.emit(SocketEvent.Connected);
    await settled();
  });
  expect(screen.getByRole('alert').textContent).toContain('There is no such session');
  join.mockRestore();
  await act(async () => {
    fireEvent.click(screen.getByRole('button', { name: 'Noch einmal' }));
    await settled();
  });
  expect(screen.queryByRole('alert')).toBeNull();
});

test('who has left is said to have left, and the conversation stays', async () => {
  const { rerender } = render(panel());
  await joined([said('1', 'Bye')]);
  rerender(panel({ isAway: true }));
  expect(screen.getByText(/has left the site/)).toBeTruthy();
  expect(screen.getByText('Bye')).toBeTruthy();
});

test('what a session that has ended did not take is said by the next one of the same visitor', async () => {
  const { rerender } = render(panel());
  const socket = await joined([said('1', 'Is it in stock?')]);
  const { fail } = await import('../lib/errors.js');
  socket.answer = () => Promise.reject(fail('UNKNOWN_SESSION', 'There is no such session'));
  write('It is');
  await act(async () => {
    fireEvent.keyDown(field(), { key: 'Enter' });
    await settled();
  });
  rerender(panel({ sessionId: 's2', visitor: { ...ann, sessionId: 's2' } }));
  const next = await joined([said('1', 'Is it in stock?')], 1);
  // Under the same name: it may have got there although the answer did not.
  const { clientId } = socket.sent[0] as { clientId?: string };
  expect(clientId).toEqual(expect.any(String));
  const again = { text: 'It is', sessionId: 's2', clientId, retry: true };
  expect(next.sent).toEqual([expect.objectContaining(again)]);
  expect(screen.getAllByText('It is')).toHaveLength(1);
  expect(screen.queryByText(/Not sent/)).toBeNull();
});

test('what is under way by one session gets there before the next one takes over', async () => {
  const { rerender } = render(panel());
  const socket = await joined([said('1', 'Is it in stock?')]);
  let accept = () => {};
  socket.answer = () =>
    new Promise((resolve) => {
      accept = () => resolve({ messageId: '2', timestamp: '2024-01-15T10:31:00.000Z' });
    });
  write('It is');
  await act(async () => {
    fireEvent.keyDown(field(), { key: 'Enter' });
    await settled();
  });
  rerender(panel({ sessionId: 's2', visitor: { ...ann, sessionId: 's2' } }));
  await settled();
  expect(core.sockets).toHaveLength(1);
  await act(async () => {
    accept();
    await settled();
  });
  // Before it is read anew, and after.
  expect(screen.getAllByText('It is')).toHaveLength(1);
  write('In red, too');
  await act(async () => {
    fireEvent.keyDown(field(), { key: 'Enter' });
    await settled();
  });
  expect(screen.getByText('Is it in stock?')).toBeTruthy();
  const next = await joined([said('1', 'Is it in stock?'), said('2', 'It is', 'agent')], 1);
  expect(next.sent).toEqual([expect.objectContaining({ text: 'In red, too', sessionId: 's2' })]);
  for (const text of ['Is it in stock?', 'It is', 'In red, too']) {
    expect(screen.getAllByText(text)).toHaveLength(1);
  }
});

test("an unproven visitor's other session is another conversation, to which one is led", async () => {
  const onFollow = vi.fn();
  const unproven = { ...ann, userId: 'anonymous-ann' };
  const { rerender } = render(panel({ visitor: unproven, onFollow }));
  await joined([said('1', 'Is it in stock?')]);
  write('It is');
  expect(screen.queryByRole('button', { name: 'Go there' })).toBeNull();
  rerender(panel({ visitor: { ...unproven, sessionId: 's2' }, onFollow }));
  fireEvent.click(screen.getByRole('button', { name: 'Go there' }));
  expect(onFollow).toHaveBeenCalledWith('s2');
  rerender(panel({ sessionId: 's2', visitor: { ...unproven, sessionId: 's2' }, onFollow }));
  expect(screen.queryByText('Is it in stock?')).toBeNull();
  expect(field().value).toBe('');
});

test('a visitor whom a token makes known again goes on with the same conversation', async () => {
  const known = { ...ann, userId: 'anonymous-~ann' };
  const { rerender } = render(panel({ visitor: known }));
  await joined([said('1', 'Is it in stock?')]);
  write('It is');
  rerender(panel({ sessionId: 's2', visitor: { ...known, sessionId: 's2' } }));
  expect(screen.getByText('Is it in stock?')).toBeTruthy();
  expect(field().value).toBe('It is');
});
