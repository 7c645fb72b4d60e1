// @vitest-environment happy-dom
/** The script tag in somebody else's page. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SocketEvent } from '../lib/ops.js';
import type { ChatWidget, ChatWidgetCommand, ChatWidgetConfig } from '../lib/widget/public.js';
import { appears, fresh } from './support.js';

const MARK = Symbol.for('@amoiq/chat-widget/v1');
const CONFIG: ChatWidgetConfig = { tenantId: '42', baseUrl: 'https://chat.example', siteId: 7 };

const asPage = window as { ChatWidget?: unknown; ChatWidgetConfig?: unknown };
let heard: [string, unknown][];

beforeEach(() => {
  fresh();
  vi.resetModules();
  sessionStorage.clear();
  delete (globalThis as { [MARK]?: true })[MARK];
  delete asPage.ChatWidget;
  asPage.ChatWidgetConfig = CONFIG;
  heard = [];
  for (const name of ['ready', 'open', 'close', 'message', 'unread', 'error', 'connection', 'shutdown']) {
    const listener = (event: Event) => heard.push([name, (event as CustomEvent<unknown>).detail]);
    window.addEventListener(`chat-widget:${name}`, listener);
    listening.push(() => window.removeEventListener(`chat-widget:${name}`, listener));
  }
});

const listening: (() => void)[] = [];

afterEach(() => {
  vi.useRealTimers();
  (asPage.ChatWidget as ChatWidget | undefined)?.shutdown?.();
  listening.splice(0).forEach((stop) => stop());
});

/** Runs the script as if it had just been loaded, on a core of its own; resolves at the page's first idle moment. */
async function load() {
  await import('../lib/widget/main.js');
  await idleMoment();
  const { core: own } = await import('./fake-core.js');
  return own;
}

async function idleMoment(): Promise<void> {
  const { whenIdle } = await import('../lib/widget/idle.js');
  await new Promise<void>((resolve) => void whenIdle(resolve));
}

/** The same, connected as a visitor who is new. */
async function loadConnected() {
  const own = await load();
  const socket = await appears(() => own.sockets[0]);
  socket.emit(SocketEvent.Connected);
  await turn();
  return { own, socket };
}

const api = () => asPage.ChatWidget as ChatWidget;
const hosts = () => [...document.documentElement.children].filter((child) => child.shadowRoot);

function shadow(): ShadowRoot {
  const root = hosts()[0]?.shadowRoot;
  if (!root) {
    throw new Error('there is no widget');
  }
  return root;
}

const part = <T extends Element>(selector: string) => shadow().querySelector(selector) as T;
const texts = () => [...shadow().querySelectorAll('.log .text')].map(({ textContent }) => textContent);
const bubble = () => part<HTMLButtonElement>('.bubble');

/** What is told in one go is looked at in the next. */
const turn = () => new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(resolve)));

function type(text: string): HTMLTextAreaElement {
  const input = part<HTMLTextAreaElement>('textarea');
  input.value = text;
  input.dispatchEvent(new Event('input'));
  return input;
}

function write(text: string): void {
  type(text);
  part<HTMLFormElement>('form').dispatchEvent(new Event('submit', { cancelable: true }));
}

const answer = (id: string, text = 'Hello', seconds = 10) => ({
  id,
  text,
  sender: 'agent' as const,
  timestamp: `2024-01-15T10:30:${seconds}.000Z`,
});

test('the visitor is online from the start, without a key, under one id', async () => {
  const own = await load();
  const socket = await appears(() => own.sockets[0]);
  expect(socket.config).toMatchObject({
    tenantId: '42',
    admin: false,
    apiUrl: 'https://chat.example',
    website: { siteId: '7' },
  });
  expect(await socket.config.credentials()).toMatchObject({ visitorId: expect.any(String) });
});

test('a second copy does nothing', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const own = await load();
  const first = api();
  vi.resetModules();
  await import('../lib/widget/main.js');
  await idleMoment();
  const { core: second } = await import('./fake-core.js');
  await appears(() => own.sockets[0]);
  expect(hosts()).toHaveLength(1);
  expect(api()).toBe(first);
  expect(second.sockets).toEqual([]);
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('twice'));
});

test('a page that configures nothing gets one warning, and may do so later', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  delete asPage.ChatWidgetConfig;
  const own = await load();
  expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('tenantId'));
  expect(hosts()).toEqual([]);
  expect(own.sockets).toEqual([]);
  api().open();
  asPage.ChatWidgetConfig = CONFIG;
  api().boot();
  await appears(() => own.sockets[0]);
  expect(hosts()).toHaveLength(1);
});

test('a configuration that throws is a warning', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  asPage.ChatWidgetConfig = {
    get tenantId() {
      throw new Error('not now');
    },
  };
  await load();
  expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('not now'));
});

test('nothing of the panel is made before it is opened', async () => {
  await loadConnected();
  expect(shadow().querySelector('dialog')).toBeNull();
  bubble().click();
  expect(part<HTMLDialogElement>('dialog').open).toBe(true);
});

test('question and answer', async () => {
  const { socket } = await loadConnected();
  bubble().click();
  expect(part('.status').textContent).toBe('Online');
  write('  Is the <b>blue</b> one in stock?  ');
  await appears(() => socket.sent[0]);
  expect(socket.sent[0]).toMatchObject({ text: 'Is the <b>blue</b> one in stock?', siteId: '7' });
  socket.emit(SocketEvent.Message, answer('m2', '<img src=x onerror=alert(1)> https://a.example'));
  await turn();
  expect(texts()).toEqual([
    'Hi! How can we help?',
    'Is the <b>blue</b> one in stock?',
    '<img src=x onerror=alert(1)> https://a.example',
  ]);
  expect(shadow().querySelector('img')).toBeNull();
  expect(part('a').getAttribute('rel')).toContain('noopener');
  expect(heard.filter(([name]) => name === 'message').map(([, detail]) => detail)).toMatchObject([
    { sender: 'user', text: 'Is the <b>blue</b> one in stock?' },
    { sender: 'agent', id: 'm2' },
  ]);
});

test('an answer to a closed panel is counted, shown beside the bubble, and read once it is opened', async () => {
  const { socket } = await loadConnected();
  socket.emit(SocketEvent.Message, answer('m1'));
  socket.emit(SocketEvent.Message, answer('m1'));
  await turn();
  expect(part('.unread').textContent).toBe('1');
  expect(bubble().getAttribute('aria-label')).toBe('Open chat, 1 unread');
  expect(part('.read').textContent).toBe('SupportHello');
  bubble().click();
  expect(part<HTMLElement>('.unread').hidden).toBe(true);
  expect(bubble().getAttribute('aria-expanded')).toBe('true');
  expect(heard.filter(([name]) => name === 'unread')).toEqual([
    ['unread', { count: 1 }],
    ['unread', { count: 0 }],
  ]);
});

test('a reminder that was sent away stays away, and the count stays', async () => {
  const { socket } = await loadConnected();
  socket.emit(SocketEvent.Message, answer('m1'));
  await turn();
  part<HTMLButtonElement>('.away').click();
  expect(shadow().querySelector('.read')).toBeNull();
  expect(part('.unread').textContent).toBe('1');
  socket.emit(SocketEvent.Message, answer('m2', 'Still there?', 11));
  await turn();
  expect(part('.read').textContent).toContain('Still there?');
});

test('what another tab has read is read', async () => {
  const { socket } = await loadConnected();
  socket.emit(SocketEvent.Message, answer('m1'));
  await turn();
  const key = 'amoiq-chat-widget-read42';
  const mark = JSON.parse(localStorage.getItem(key) ?? '') as object;
  localStorage.setItem(key, JSON.stringify({ ...mark, read: Date.parse('2024-01-15T10:30:20Z') }));
  window.dispatchEvent(new Event('storage'));
  await turn();
  expect(part<HTMLElement>('.unread').hidden).toBe(true);
});

test('what a new visitor has missed while the connection was down is counted, too', async () => {
  const { own, socket } = await loadConnected();
  socket.emit(SocketEvent.VisitorToken, { token: 'visitor.x' });
  socket.emit(SocketEvent.Disconnected);
  own.history = [answer('m1')];
  socket.emit(SocketEvent.Connected);
  await appears(() => (part('.unread').textContent === '1' ? true : undefined));
});

test('after a reload the history is no news, and what is unread is still unread', async () => {
  localStorage.setItem('amoiq-chat-visitor42', 'visitor.x');
  const read = Date.parse('2024-01-15T10:30:05Z');
  const mark = { user: null, read, dismissed: 0, count: 1 };
  localStorage.setItem('amoiq-chat-widget-read42', JSON.stringify(mark));
  const own = await load();
  expect(part('.unread').textContent).toBe('1');
  const socket = await appears(() => own.sockets[0]);
  own.history = [answer('m1', 'Old', 4), answer('m2', 'New', 6)].map((said) => ({
    ...said,
    timestamp: said.timestamp.replace(/:(\d)\.000/, ':0$1.000'),
  }));
  socket.emit(SocketEvent.Connected);
  await appears(() => shadow().querySelector('.read') ?? undefined);
  expect(part('.read').textContent).toContain('New');
  expect(part('.unread').textContent).toBe('1');
  expect(heard.filter(([name]) => name === 'message')).toEqual([]);
});

test('a message that cannot be sent says why, and can be sent again', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { socket } = await loadConnected();
  const { ChatError } = await import('../lib/errors.js');
  const refusal = new ChatError('TEXT_TOO_LONG', 'too long');
  const send = vi.spyOn(socket, 'sendMessage').mockRejectedValueOnce(refusal);
  bubble().click();
  write('hi');
  await appears(() => shadow().querySelector('.failed') ?? undefined);
  expect(part('.failed .meta').textContent).toContain('too long');
  expect(heard).toContainEqual(['error', { code: 'TEXT_TOO_LONG', message: 'too long' }]);
  part<HTMLButtonElement>('.failed .retry').click();
  await appears(() => shadow().querySelector('.own.delivered') ?? undefined);
  expect(send).toHaveBeenCalledTimes(2);
  expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('TEXT_TOO_LONG'));
});

test('a message waits while there is no connection, in the element that it keeps', async () => {
  const own = await load();
  const socket = await appears(() => own.sockets[0]);
  bubble().click();
  write('hi');
  await turn();
  const entry = part('.entry.own');
  expect(entry.classList.contains('pending')).toBe(true);
  expect(part('.own .meta').textContent).toContain('Sending…');
  expect(socket.sent).toEqual([]);
  socket.emit(SocketEvent.Connected);
  await appears(() => (entry.classList.contains('delivered') ? true : undefined));
  expect(socket.sent).toMatchObject([{ text: 'hi' }]);
  expect(part('.entry.own')).toBe(entry);
  expect(part('.own .meta').textContent).toContain('Sent');
});

test('a refusal is told at once, to the visitor and the page', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const own = await load();
  const { ChatError } = await import('../lib/errors.js');
  const socket = await appears(() => own.sockets[0]);
  bubble().click();
  expect(part('.status').textContent).toBe('Connecting…');
  socket.emit(SocketEvent.Refused, new ChatError('ORIGIN_NOT_ALLOWED', 'no'));
  await turn();
  expect(part('.status').textContent).toBe('Chat is unavailable right now');
  expect(part('.notice').textContent).toBe(
    'The chat does not work on this page. Please contact us another way.',
  );
  expect(heard).toContainEqual(['connection', { state: 'failed' }]);
  expect(heard).toContainEqual(['error', { code: 'ORIGIN_NOT_ALLOWED', message: 'no' }]);
});

test("a page that lacks its key is no visitor's fault, and its developer is told where to read about it", async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const own = await load();
  const { ChatError } = await import('../lib/errors.js');
  const socket = await appears(() => own.sockets[0]);
  bubble().click();
  for (let times = 0; times < 2; times++) {
    socket.emit(SocketEvent.Refused, new ChatError('CREDENTIAL_REQUIRED', 'this tenant asks visitors for a widget key'));
    await turn();
  }
  expect(part('.notice').textContent).toContain('another way');
  expect(warn).toHaveBeenCalledExactlyOnceWith(
    expect.stringMatching(/asks visitors for a widget key \(https:.*\/CREDENTIAL_REQUIRED\.md\)$/),
  );
});

test('what was said today was said yesterday once it is midnight, without being read out', async () => {
  const { socket } = await loadConnected();
  vi.useFakeTimers({ now: new Date(2024, 0, 15, 23, 59) });
  socket.emit(SocketEvent.Message, { ...answer('m1'), timestamp: new Date(2024, 0, 15, 12).toISOString() });
  await turn();
  bubble().click();
  const days = () => [...shadow().querySelectorAll('.day')].map(({ textContent }) => textContent);
  expect(days()).toEqual(['Today']);
  vi.advanceTimersByTime(90_000);
  expect(days()).toEqual(['Yesterday']);
  expect(part('.log').getAttribute('aria-live')).toBe('off');
});

test('a lost connection is told once it has lasted', async () => {
  const { socket } = await loadConnected();
  bubble().click();
  vi.useFakeTimers();
  socket.emit(SocketEvent.Disconnected);
  await turn();
  expect(part('.status').textContent).toBe('Online');
  vi.advanceTimersByTime(5000);
  expect(part('.status').textContent).toBe('Reconnecting…');
  expect(part('.notice').textContent).toContain('connection was lost');
});

test('what is written too long stays, and is not sent', async () => {
  const { socket } = await loadConnected();
  bubble().click();
  type('x'.repeat(3900));
  expect(part('.count').textContent).toBe('100 characters left');
  const input = type('x'.repeat(4010));
  part<HTMLFormElement>('form').dispatchEvent(new Event('submit', { cancelable: true }));
  expect(part('.count').textContent).toBe('10 characters too many');
  expect(input.value).toHaveLength(4010);
  expect(input.getAttribute('aria-invalid')).toBe('true');
  expect(socket.sent).toEqual([]);
});

test('draft and panel are there again on the next page', async () => {
  await loadConnected();
  bubble().click();
  type('Half a sen');
  const kept = { ...sessionStorage };
  api().shutdown();
  expect(sessionStorage.getItem('amoiq-chat-widget42')).toBeNull();
  Object.entries(kept).forEach(([key, value]) => sessionStorage.setItem(key, value as string));
  vi.resetModules();
  delete (globalThis as { [MARK]?: true })[MARK];
  delete asPage.ChatWidget;
  await load();
  expect(part<HTMLDialogElement>('dialog').open).toBe(true);
  expect(part<HTMLTextAreaElement>('textarea').value).toBe('Half a sen');
});

test('before it is agreed to, nothing is connected, kept or read', async () => {
  asPage.ChatWidgetConfig = { ...CONFIG, autoConnect: false };
  const get = vi.spyOn(Storage.prototype, 'getItem');
  const set = vi.spyOn(Storage.prototype, 'setItem');
  const own = await load();
  await idleMoment();
  expect(bubble()).toBeTruthy();
  expect(own.starts).toBe(0);
  expect(get).not.toHaveBeenCalled();
  expect(set).not.toHaveBeenCalled();
  api().connect();
  await appears(() => own.sockets[0]);
});

test('a page that is prepared before anybody visits it is one from then on', async () => {
  let prerendering = true;
  Object.defineProperty(document, 'prerendering', { get: () => prerendering, configurable: true });
  listening.push(() => delete (document as { prerendering?: boolean }).prerendering);
  const own = await load();
  api().open();
  await idleMoment();
  expect(hosts()).toEqual([]);
  expect(own.starts).toBe(0);
  expect(localStorage.getItem('amoiq-chat-visit')).toBeNull();
  prerendering = false;
  document.dispatchEvent(new Event('prerenderingchange'));
  await appears(() => own.sockets[0]);
  expect(part<HTMLDialogElement>('dialog').open).toBe(true);
});

test("the visitor's own click is a yes, too", async () => {
  asPage.ChatWidgetConfig = { ...CONFIG, autoConnect: false };
  const own = await load();
  bubble().click();
  await appears(() => own.sockets[0]);
});

test('commands from before the script run after it, in order, and one that is wrong stops none', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const opened = vi.fn();
  const nameless: unknown = Object.create(null);
  const queue: unknown[] = [['on', 'open', opened], ['opne'], [nameless], ['on', 'opne', opened], ['open']];
  asPage.ChatWidget = queue;
  await load();
  expect(opened).toHaveBeenCalledExactlyOnceWith({});
  expect(warn.mock.calls.map(([words]) => words as string)).toEqual([
    expect.stringContaining('no command opne'),
    expect.any(String),
    expect.stringContaining("'on' takes one of"),
  ]);
  api().push(['off', 'open', opened] as ChatWidgetCommand, ['close'], ['open']);
  expect(opened).toHaveBeenCalledTimes(1);
  api().toggle();
  expect(heard.map(([name]) => name).filter((name) => name !== 'connection')).toEqual([
    'open',
    'ready',
    'close',
    'open',
    'close',
  ]);
});

test('who listens for `ready` late is told all the same', async () => {
  await load();
  const ready = vi.fn();
  api().on('ready', ready);
  await turn();
  expect(ready).toHaveBeenCalledTimes(1);
});

test('the name is left to whoever has it', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const other = { chat: 'of somebody else' };
  asPage.ChatWidget = other;
  delete asPage.ChatWidgetConfig;
  await load();
  expect(asPage.ChatWidget).toBe(other);
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('something else'));
});

test('a visitor who is identified is that user, and the former messages are out of sight', async () => {
  const { own, socket } = await loadConnected();
  bubble().click();
  write('As nobody');
  await appears(() => shadow().querySelector('.own.delivered') ?? undefined);
  own.history = [answer('m7', 'Welcome back')];
  api().identify({ token: 'jwt.of.ann' });
  expect(texts()).toEqual(['Hi! How can we help?']);
  const second = await appears(() => own.sockets[1]);
  expect(socket.closed).toBe(true);
  expect(await second.config.credentials()).toMatchObject({ token: 'jwt.of.ann' });
  second.emit(SocketEvent.Connected);
  await appears(() => (texts().includes('Welcome back') ? true : undefined));
  // Said again on the next view of the page, it changes nothing.
  api().identify({ token: 'jwt.of.ann' });
  await turn();
  expect(own.sockets).toHaveLength(2);
  type('Secret of ann');
  api().identify(null);
  expect(texts()).toEqual(['Hi! How can we help?']);
  expect(part<HTMLTextAreaElement>('textarea').value).toBe('');
  const third = await appears(() => own.sockets[2]);
  expect(await third.config.credentials()).not.toHaveProperty('token');
});

test('a later token of the same visitor leaves everything as it is, and is shown from then on', async () => {
  const tokenOf = (sub: string, exp: number) => `x.${btoa(JSON.stringify({ sub, exp }))}.y`;
  asPage.ChatWidgetConfig = { ...CONFIG, token: tokenOf('ann', 1) };
  const { own, socket } = await loadConnected();
  bubble().click();
  write('Of ann');
  await appears(() => shadow().querySelector('.own.delivered') ?? undefined);
  type('Half a sen');
  api().identify({ token: tokenOf('ann', 2) });
  expect(texts()).toContain('Of ann');
  expect(part<HTMLTextAreaElement>('textarea').value).toBe('Half a sen');
  expect(await socket.config.credentials()).toMatchObject({ token: tokenOf('ann', 2) });
  expect(socket.closed).toBe(false);
  // Where there is no connection there may be one by this token.
  socket.emit(SocketEvent.Disconnected);
  api().identify({ token: tokenOf('ann', 3) });
  const second = await appears(() => own.sockets[1]);
  expect(await second.config.credentials()).toMatchObject({ token: tokenOf('ann', 3) });
  expect(part<HTMLTextAreaElement>('textarea').value).toBe('Half a sen');
  api().identify({ token: tokenOf('bea', 3) });
  expect(part<HTMLTextAreaElement>('textarea').value).toBe('');
});

test('a history that is still being read when the visitor changes is not the next one\'s', async () => {
  localStorage.setItem('amoiq-chat-visitor42', 'visitor.x');
  const own = await load();
  const socket = await appears(() => own.sockets[0]);
  bubble().click();
  own.history = [answer('m1', 'For the former one')];
  socket.emit(SocketEvent.Connected);
  api().identify({ token: 'jwt.of.ann' });
  own.history = [];
  const second = await appears(() => own.sockets[1]);
  second.emit(SocketEvent.Connected);
  await appears(() => (part('.status').textContent === 'Online' ? true : undefined));
  expect(texts()).toEqual(['Hi! How can we help?']);
});

test('whom the configuration has named is known: the same again changes nothing, and null makes them nobody', async () => {
  asPage.ChatWidgetConfig = { ...CONFIG, token: 'jwt.of.ann' };
  const { own, socket } = await loadConnected();
  bubble().click();
  type('Secret of ann');
  api().identify({ token: 'jwt.of.ann' });
  await turn();
  expect(socket.closed).toBe(false);
  expect(part<HTMLTextAreaElement>('textarea').value).toBe('Secret of ann');
  api().identify(null);
  expect(part<HTMLTextAreaElement>('textarea').value).toBe('');
  const second = await appears(() => own.sockets[1]);
  expect(await second.config.credentials()).not.toHaveProperty('token');
});

for (const [who, token, draft] of [
  ['somebody else', 'jwt.of.bob', ''],
  ['the same user', 'jwt.of.ann', 'Half a sen'],
] as const) {
  test(`booted again with ${who}, the draft is ${draft ? 'still there' : 'gone'}`, async () => {
    asPage.ChatWidgetConfig = { ...CONFIG, token: 'jwt.of.ann' };
    await loadConnected();
    bubble().click();
    type('Half a sen');
    asPage.ChatWidgetConfig = { ...CONFIG, token };
    api().boot();
    expect(part<HTMLTextAreaElement>('textarea').value).toBe(draft);
  });
}

test('`identify` with nothing in it is a warning', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  await loadConnected();
  api().identify({});
  expect(warn).toHaveBeenCalledWith(expect.stringContaining("'identify' takes"));
});

test('shutdown leaves nothing behind, and boot begins anew', async () => {
  const { own, socket } = await loadConnected();
  bubble().click();
  type('Half a sen');
  api().shutdown();
  expect(socket.closed).toBe(true);
  expect(hosts()).toEqual([]);
  expect(heard.at(-1)).toEqual(['shutdown', {}]);
  asPage.ChatWidgetConfig = { ...CONFIG, locale: 'de' };
  api().boot();
  expect(bubble().getAttribute('aria-label')).toBe('Chat öffnen');
  await appears(() => own.sockets[1]);
  bubble().click();
  expect(part<HTMLTextAreaElement>('textarea').value).toBe('');
});

test('a `boot` that was asked for before the script has loaded is told as one start', async () => {
  const told: string[] = [];
  const early: ChatWidgetCommand[] = [['on', 'ready', () => told.push('ready')], ['boot']];
  asPage.ChatWidget = early;
  await load();
  await turn();
  expect(told).toEqual(['ready']);
  expect(heard.filter(([name]) => name === 'ready')).toHaveLength(1);
  expect(hosts()).toHaveLength(1);
  api().boot();
  expect(told).toEqual(['ready', 'ready']);
});

test('whoever takes it out of the page finds it put back', async () => {
  await loadConnected();
  const [host] = hosts();
  host?.remove();
  await appears(() => hosts()[0]);
  expect(hosts()).toEqual([host]);
  document.body.replaceChildren();
  expect(hosts()).toEqual([host]);
});

test('a page that makes another root has it there', async () => {
  await loadConnected();
  const [host] = hosts();
  const former = document.documentElement;
  listening.push(() => document.replaceChildren(former));
  const root = document.createElement('html');
  root.append(document.createElement('head'), document.createElement('body'));
  document.replaceChildren(root);
  await appears(() => hosts()[0]);
  expect(hosts()).toEqual([host]);
  host?.remove();
  await appears(() => hosts()[0]);
});
