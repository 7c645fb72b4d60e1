// @vitest-environment happy-dom
/** The other parts of a desk: the list of conversations, the chart, the connection, and the reference component. */
import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fail } from '../lib/errors.js';
import { configure } from '../lib/index.js';
import { SocketEvent } from '../lib/ops.js';
import {
  ConnectionStatus,
  ConversationList,
  ConversationPanel,
  OnlineHistoryChart,
  OnlineUsersExample,
} from '../lib/react.js';
import { summary } from './summaries.js';
import { ann, appears, bob, core, fresh, settled } from './support.js';

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example', apiKey: 'key' });
});

afterEach(async () => {
  cleanup();
  await settled();
  vi.unstubAllGlobals();
});

test('conversations are listed with the last words, and those are marked that wait or are new', async () => {
  const answered = summary('b', 2, 'You are welcome');
  core.get = () => ({
    conversations: [
      { ...answered, lastMessage: { ...answered.lastMessage, sender: 'agent' } },
      summary('a', 1, 'Is it in stock?'),
    ],
  });
  const onSelect = vi.fn();
  const { rerender } = render(<ConversationList tenantId="42" onSelect={onSelect} />);
  const socket = await appears(() => core.sockets[0]);
  act(() => socket.emit(SocketEvent.Connected));
  const [first, second] = await screen.findAllByRole('button');
  expect(first?.textContent).toContain('Staff: You are welcome');
  expect(first?.dataset).toMatchObject({ waiting: 'false', unread: 'false' });
  expect(second?.dataset).toMatchObject({ waiting: 'true', unread: 'false' });
  expect(within(second as HTMLElement).getByText('Waiting')).toBeTruthy();

  act(() => socket.emit(SocketEvent.Conversation, summary('a', 9, 'Hello?')));
  await vi.waitFor(() => expect(screen.getAllByRole('button')[0]?.dataset['unread']).toBe('true'));
  fireEvent.click(screen.getByText('Hello?'));
  expect(onSelect).toHaveBeenCalledWith(summary('a', 9, 'Hello?'));
  rerender(<ConversationList tenantId="42" selected="a" onSelect={onSelect} />);
  const [chosen] = screen.getAllByRole('button');
  expect(chosen?.getAttribute('aria-current')).toBe('true');
  expect(chosen?.dataset['unread']).toBe('false');
});

test('a list that cannot be read is asked for again by a button, unless there is no such list', async () => {
  core.refusal = fail('UNAVAILABLE', 'Starting');
  const texts = { problem: ({ code }: { code: string }) => `Wird gestartet (${code})` };
  const { rerender } = render(<ConversationList tenantId="42" onSelect={() => {}} />);
  const socket = await appears(() => core.sockets[0]);
  act(() => socket.emit(SocketEvent.Connected));
  expect((await screen.findByRole('alert')).textContent).toContain('Starting');
  rerender(<ConversationList tenantId="42" onSelect={() => {}} texts={texts} />);
  expect(screen.getByRole('alert').textContent).toContain('Wird gestartet (UNAVAILABLE)');
  core.refusal = undefined;
  core.get = () => ({ conversations: [summary('a', 1, 'Is it in stock?')] });
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await screen.findByText('Is it in stock?');
  expect(screen.queryByRole('alert')).toBeNull();

  core.refusal = fail('NOT_FOUND', 'No such route');
  act(() => socket.emit(SocketEvent.Connected));
  await screen.findByText('This server keeps no list of conversations.');
  expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull();
});

test('whoever has shown the last of the conversations goes on with the first of those', async () => {
  const said = [3, 2, 1].map((second) => summary(`c${second}`, second));
  core.get = ({ cursor }) =>
    cursor ? { conversations: said.slice(2) } : { conversations: said.slice(0, 2), nextCursor: 'c' };
  render(<ConversationList tenantId="42" onSelect={() => {}} />);
  const socket = await appears(() => core.sockets[0]);
  act(() => socket.emit(SocketEvent.Connected));
  const more = await screen.findByRole('button', { name: 'Show more' });
  more.focus();
  fireEvent.click(more);
  await vi.waitFor(() => expect(document.activeElement?.textContent).toContain('c1 at 1'));
  expect(screen.queryByRole('button', { name: 'Show more' })).toBeNull();
});

test.each(['kept', 'refused'])('what was read stays read when the page is loaded anew; storage is %s', async (storage) => {
  if (storage === 'refused') {
    const refuse = () => {
      throw new DOMException('no', 'SecurityError');
    };
    vi.stubGlobal('localStorage', { getItem: refuse, setItem: refuse });
  }
  const list = async (at: number, said: ReturnType<typeof summary>[], selected?: string) => {
    core.get = () => ({ conversations: said });
    render(<ConversationList tenantId="42" selected={selected} onSelect={() => {}} />);
    const socket = await appears(() => core.sockets[at]);
    await act(async () => {
      socket.emit(SocketEvent.Connected);
      await settled();
    });
    return screen.queryAllByRole('button').map((button) => button.dataset['unread']);
  };
  expect(await list(0, [])).toEqual([]);
  await act(async () => {
    core.sockets[0]?.emit(SocketEvent.Conversation, summary('a', 1));
    await settled();
  });
  await vi.waitFor(() => expect(screen.getByRole('button').dataset['unread']).toBe('true'));
  cleanup();
  await settled();
  const isKept = storage === 'kept';
  expect(await list(1, [summary('a', 1)])).toEqual([`${isKept}`]);
  cleanup();
  await settled();
  expect(await list(2, [summary('b', 3), summary('a', 1)], 'a')).toEqual([`${isKept}`, 'false']);
});

test('the chart says the hour in a picture, in words, in a table, and a minute at a time', async () => {
  const at = (minute: number) => `2024-01-15T10:0${minute}:00.000Z`;
  core.get = () => ({
    samples: [
      { at: at(0), online: 2, peak: 5 },
      { at: at(1), online: null, peak: null },
      { at: at(2), online: 3, peak: 3 },
    ],
  });
  render(<OnlineHistoryChart tenantId="42" locale="en-GB" />);
  const slider = await screen.findByRole('slider');
  expect(slider.getAttribute('aria-valuetext')).toContain('3 online, peak 3');
  fireEvent.keyDown(slider, { key: 'ArrowLeft' });
  expect(slider.getAttribute('aria-valuetext')).toContain('not counted');
  fireEvent.keyDown(slider, { key: 'Home' });
  expect(slider.getAttribute('aria-valuetext')).toContain('2 online, peak 5');
  fireEvent.keyDown(slider, { key: 'ArrowLeft' });
  expect(slider.getAttribute('aria-valuenow')).toBe('0');
  expect(screen.getAllByRole('row')).toHaveLength(4);
  expect(document.querySelector('desc')?.textContent).toMatch(/^3 online now; at most 5 at once/);
});

test('a connection is told in words, with the reason why it is not live', async () => {
  const error = fail('NETWORK_ERROR', 'no answer');
  const { rerender } = render(<ConnectionStatus connection={{ state: 'polling', error }} />);
  expect(screen.getByRole('status').textContent).toBe('Polling no answer');
  const german = { polling: 'Abfrage', problem: ({ code }: { code: string }) => `keine Antwort (${code})` };
  rerender(<ConnectionStatus connection={{ state: 'polling', error }} texts={german} />);
  expect(screen.getByRole('status').textContent).toBe('Abfrage keine Antwort (NETWORK_ERROR)');
  rerender(<ConnectionStatus connection={{ state: 'live', error: null }} texts={{ live: 'Live' }} />);
  expect(screen.getByRole('status').dataset['state']).toBe('live');
  expect(screen.getByRole('status').textContent).toBe('Live');
});

test('the reference component counts, lists, searches and turns pages', async () => {
  render(<OnlineUsersExample tenantId="42" pageSize={1} />);
  const feed = await appears(() => core.feeds[0]);
  act(() => feed.become({ users: [ann, bob], isLoading: false, status: 'live' }));
  expect(await screen.findByText('2 users online')).toBeTruthy();
  const names = () => screen.queryAllByRole('listitem').map((item) => item.querySelector('.acw-name')?.textContent);
  await vi.waitFor(() => expect(names()).toEqual(['bob']));
  fireEvent.click(screen.getByRole('button', { name: 'Next' }));
  await vi.waitFor(() => expect(names()).toEqual(['ann']));
  act(() => feed.show([bob]));
  await vi.waitFor(() => expect(names()).toEqual(['bob']));
  fireEvent.change(screen.getByRole('searchbox'), { target: { value: 'zoe' } });
  expect(await screen.findByText('Nobody matches this search.')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Refresh' }));
  await vi.waitFor(() => expect(feed.refreshes).toBe(1));
});

test('the reference component says what went wrong beside what it has', async () => {
  render(<OnlineUsersExample tenantId="42" />);
  const feed = await appears(() => core.feeds[0]);
  const error = fail('NETWORK_ERROR', 'no answer');
  act(() => feed.become({ users: [ann], isLoading: false, error, status: 'backoff' }));
  expect((await screen.findByRole('alert')).textContent).toContain('no answer');
  await vi.waitFor(() => expect(screen.getByText('ann')).toBeTruthy());
});

test('on a server, all of them render something', () => {
  const parts = [
    <OnlineUsersExample key="1" tenantId="42" />,
    <ConversationList key="2" tenantId="42" onSelect={() => {}} />,
    <OnlineHistoryChart key="3" tenantId="42" />,
    <ConversationPanel key="4" tenantId="42" sessionId="s1" />,
  ];
  for (const part of parts) {
    expect(renderToString(part)).toContain('acw-');
  }
  expect(core.starts).toBe(0);
});
