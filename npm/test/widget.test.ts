// @vitest-environment happy-dom
/** The script tag in somebody else's page. */
import { beforeEach, expect, test, vi } from 'vitest';
import { readOptions } from '../lib/widget/options.js';
import { SocketEvent } from '../lib/ops.js';
import { appears, core, fresh } from './support.js';

const MARK = Symbol.for('@amoiq/chat-widget/v1');

beforeEach(() => {
  fresh();
  vi.resetModules();
  document.body.replaceChildren();
  delete (globalThis as { [MARK]?: true })[MARK];
  window.ChatWidgetConfig = { tenantId: '42', baseUrl: 'https://chat.example', siteId: 7 };
});

/** Runs the script as if it had just been loaded, on a core of its own. */
async function load() {
  await import('../lib/widget/main.js');
  const { core: own } = await import('./fake-core.js');
  return own;
}

function shadow(): ShadowRoot {
  const root = document.body.lastElementChild?.shadowRoot;
  if (!root) {
    throw new Error('there is no widget');
  }
  return root;
}

const part = <T extends Element>(selector: string) => shadow().querySelector(selector) as T;

async function write(text: string) {
  const input = part<HTMLTextAreaElement>('textarea');
  input.value = text;
  input.dispatchEvent(new Event('input'));
  part<HTMLFormElement>('form').dispatchEvent(new Event('submit', { cancelable: true }));
}

test('the visitor is online from the start, without a key, under one id', async () => {
  const own = await load();
  const socket = await appears(() => own.sockets[0]);
  expect(socket.config).toMatchObject({
    tenantId: '42',
    admin: false,
    apiUrl: 'https://chat.example',
    website: { siteId: '7' },
  });
  expect(await socket.config.credentials()).toEqual({
    visitorId: expect.any(String),
    visitorToken: '',
  });
});

test('a second copy does nothing', async () => {
  const own = await load();
  vi.resetModules();
  await import('../lib/widget/main.js');
  const { core: second } = await import('./fake-core.js');
  await appears(() => own.sockets[0]);
  expect(document.body.children).toHaveLength(1);
  expect(second.sockets).toEqual([]);
});

test('a page that configures nothing gets a warning, not an exception', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  delete window.ChatWidgetConfig;
  const own = await load();
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('tenantId'));
  expect(document.body.children).toHaveLength(0);
  expect(own.sockets).toEqual([]);
});

test('question and answer', async () => {
  const own = await load();
  const socket = await appears(() => own.sockets[0]);
  socket.emit(SocketEvent.Connected);
  part<HTMLButtonElement>('.bubble').click();
  expect(part('.status').textContent).toBe('Online');
  await write('  Is the <b>blue</b> one in stock?  ');
  await appears(() => socket.sent[0]);
  expect(socket.sent[0]).toMatchObject({ text: 'Is the <b>blue</b> one in stock?', siteId: '7' });
  socket.emit(SocketEvent.Message, {
    id: 'm2',
    text: '<img src=x onerror=alert(1)>',
    sender: 'agent',
    timestamp: '2024-01-15T10:30:06.000Z',
  });
  expect([...shadow().querySelectorAll('.text')].map(({ textContent }) => textContent)).toEqual([
    'Hi! How can we help?',
    'Is the <b>blue</b> one in stock?',
    '<img src=x onerror=alert(1)>',
  ]);
  expect(shadow().querySelector('img')).toBeNull();
});

test('what a new visitor has missed while the connection was down is counted, too', async () => {
  const own = await load();
  const socket = await appears(() => own.sockets[0]);
  socket.emit(SocketEvent.Connected);
  socket.emit(SocketEvent.VisitorToken, { token: 'visitor.x' });
  socket.emit(SocketEvent.Disconnected);
  own.history = [{ id: 'm1', text: 'Hello', sender: 'agent', timestamp: '2024-01-15T10:00:00.000Z' }];
  socket.emit(SocketEvent.Connected);
  await appears(() => (shadow().querySelectorAll('.text').length === 2 ? true : undefined));
  expect(part('.unread').textContent).toBe('1');
});

test('an answer to a closed panel is counted on the bubble', async () => {
  const own = await load();
  const socket = await appears(() => own.sockets[0]);
  const answer = { id: 'm1', text: 'Hello', sender: 'agent', timestamp: '' };
  socket.emit(SocketEvent.Message, answer);
  socket.emit(SocketEvent.Message, answer);
  expect(part('.unread').textContent).toBe('1');
  expect(part('.bubble').getAttribute('aria-label')).toBe('Open chat, 1 unread');
  part<HTMLButtonElement>('.bubble').click();
  expect(part<HTMLElement>('.unread').hidden).toBe(true);
  expect(part('.bubble').getAttribute('aria-expanded')).toBe('true');
});

test('a message that cannot be sent says so and can be sent again', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const own = await load();
  const { ChatError } = await import('../lib/errors.js');
  const socket = await appears(() => own.sockets[0]);
  socket.emit(SocketEvent.Connected);
  const refusal = new ChatError('TEXT_TOO_LONG', 'too long');
  const send = vi.spyOn(socket, 'sendMessage').mockRejectedValueOnce(refusal);
  await write('hi');
  const again = await appears(() => part<HTMLButtonElement>('.note button') ?? undefined);
  again.click();
  await appears(() => (part('.note') ? undefined : true));
  expect(send).toHaveBeenCalledTimes(2);
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('TEXT_TOO_LONG'));
});

test('a message waits, pale, while there is no connection, and is delivered when there is one', async () => {
  const own = await load();
  const socket = await appears(() => own.sockets[0]);
  await write('hi');
  const entry = part('.entry.own');
  expect(entry.classList.contains('pending')).toBe(true);
  expect(socket.sent).toEqual([]);
  socket.emit(SocketEvent.Connected);
  await appears(() => (entry.classList.contains('delivered') ? true : undefined));
  expect(socket.sent).toMatchObject([{ text: 'hi' }]);
  expect(part('.entry.own')).toBe(entry);
});

test('after a reload the history stands before what is said now, and is no news', async () => {
  localStorage.setItem('amoiq-chat-visitor42', 'visitor.x');
  const own = await load();
  const socket = await appears(() => own.sockets[0]);
  await write('And now?');
  own.history = [
    { id: 'm8', text: 'Before', sender: 'user', timestamp: '2024-01-15T10:00:00.000Z' },
    { id: 'm9', text: 'Yes', sender: 'agent', timestamp: '2024-01-15T10:00:01.000Z' },
  ];
  socket.emit(SocketEvent.Connected);
  await appears(() => (shadow().querySelectorAll('.text').length === 4 ? true : undefined));
  expect([...shadow().querySelectorAll('.text')].map(({ textContent }) => textContent)).toEqual([
    'Hi! How can we help?',
    'Before',
    'Yes',
    'And now?',
  ]);
  expect(part<HTMLElement>('.unread').hidden).toBe(true);
  socket.emit(SocketEvent.Message, { id: 'm10', text: 'Hm', sender: 'agent', timestamp: '' });
  expect(part('.unread').textContent).toBe('1');
});

test('a refusal is told apart from an outage', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const own = await load();
  const { ChatError } = await import('../lib/errors.js');
  const socket = await appears(() => own.sockets[0]);
  socket.emit(SocketEvent.Failed, new ChatError('NETWORK_ERROR', 'away'));
  expect(part('.status').textContent).toBe('Reconnecting…');
  socket.emit(SocketEvent.Refused, new ChatError('ORIGIN_NOT_ALLOWED', 'no'));
  expect(part('.status').textContent).toBe('Chat is unavailable right now');
});

test("the server is the script's own origin unless the page names one", () => {
  const script = 'https://cdn.example/assets/widget.v1.js?v=1';
  expect(readOptions({ tenantId: '42' }, script)).toMatchObject({
    baseUrl: 'https://cdn.example',
    left: false,
  });
  expect(
    readOptions({ tenantId: '42', baseUrl: 'https://a.example', position: 'bottom-left' }, script),
  ).toMatchObject({ baseUrl: 'https://a.example', left: true });
  expect(() => readOptions({ tenantId: '42' }, undefined)).toThrow('baseUrl');
  expect(core.sockets).toEqual([]);
});
