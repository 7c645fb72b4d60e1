// @vitest-environment happy-dom
/** Which servers and which credentials count. */
import { beforeEach, expect, test, vi } from 'vitest';
import { configure } from '../lib/config.js';
import { coreConfig } from '../lib/core-config.js';
import { ChatError } from '../lib/errors.js';
import { fresh } from './support.js';

beforeEach(fresh);

const endpoints = () => {
  const { apiUrl, socketUrl } = coreConfig('42', true);
  return [apiUrl, socketUrl];
};

test('configured endpoints win over the environment, the new names over the old', () => {
  vi.stubEnv('NEXT_PUBLIC_API_URL', 'https://old.example');
  expect(endpoints()).toEqual(['https://old.example', 'https://old.example']);
  vi.stubEnv('NEXT_PUBLIC_GATEWAY_URL', 'https://api.example/');
  vi.stubEnv('NEXT_PUBLIC_WS_URL', 'wss://old.example');
  expect(endpoints()).toEqual(['https://api.example', 'wss://old.example']);
  vi.stubEnv('NEXT_PUBLIC_WEBSOCKET_URL', 'wss://ws.example');
  expect(endpoints()).toEqual(['https://api.example', 'wss://ws.example']);
  configure({ gatewayUrl: 'http://here:3000', websocketUrl: 'ws://here:3001' });
  expect(endpoints()).toEqual(['http://here:3000', 'ws://here:3001']);
  vi.unstubAllEnvs();
});

test('one address stands for both', () => {
  configure({ websocketUrl: 'wss://ws.example' });
  expect(endpoints()).toEqual(['https://ws.example', 'wss://ws.example']);
});

test('a page without `process` gets nothing from the environment, and no exception', () => {
  configure({ gatewayUrl: 'https://api.example' });
  vi.stubGlobal('process', undefined);
  expect(endpoints()).toEqual(['https://api.example', 'https://api.example']);
});

test.each([
  ['no endpoint', '42', {}],
  ['no tenant', '', { gatewayUrl: 'https://api.example' }],
  ['not an address', '42', { gatewayUrl: 'api.example' }],
  ['another scheme', '42', { gatewayUrl: 'javascript:alert(1)' }],
])('%s is INVALID_CONFIG', (_, tenant, config) => {
  configure(config);
  let error: unknown;
  try {
    coreConfig(tenant, true);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(ChatError);
  expect(error).toMatchObject({ code: 'INVALID_CONFIG' });
});

test('of key and token source the last one given counts, and it is asked each time', async () => {
  configure({ gatewayUrl: 'https://api.example', apiKey: 'key' });
  const { credentials } = coreConfig('42', true);
  expect(await credentials()).toEqual({ token: 'key' });
  let serial = 0;
  configure({ getToken: async () => `token-${(serial += 1)}` });
  expect(await credentials()).toEqual({ token: 'token-1' });
  expect(await credentials()).toEqual({ token: 'token-2' });
  configure({ apiKey: 'newer' });
  expect(await credentials()).toEqual({ token: 'newer' });
});

test('a token source that fails passes its failure on', async () => {
  const failure = new Error('signed out');
  configure({ gatewayUrl: 'https://api.example', getToken: () => Promise.reject(failure) });
  await expect(coreConfig('42', true).credentials()).rejects.toBe(failure);
});

test.each([
  ['a line break behind it is not part of a token', 'key-1\n', { token: 'key-1' }],
  ['nothing but blanks is none', ' \n', {}],
  ['a page is none', '<!doctype html>\n<h1>Sign in</h1>', 'TOKEN_UNAVAILABLE'],
  ['what no header can bear is none', 'schlüssel', 'TOKEN_UNAVAILABLE'],
])('%s', async (_, token, expected) => {
  for (const source of [{ apiKey: token }, { getToken: async () => token }]) {
    configure({ gatewayUrl: 'https://api.example', ...source });
    const shown = Promise.resolve(coreConfig('42', true).credentials());
    expect(await shown.catch(({ code }: ChatError) => code)).toEqual(expected);
  }
});

test('a visitor keeps an id, an admin never gets one', async () => {
  configure({ gatewayUrl: 'https://api.example' });
  expect(await coreConfig('42', true).credentials()).toEqual({});
  expect(localStorage.length).toBe(0);
  const visitor = await coreConfig('42', false, {}).credentials();
  expect(visitor).toEqual({
    visitorId: expect.stringMatching(/^[0-9a-f]{32}$/),
    visitorToken: '',
  });
  expect(await coreConfig('42', false, {}).credentials()).toEqual(visitor);
});

test('a dashboard that only makes requests leaves no id either', async () => {
  configure({ gatewayUrl: 'https://api.example', apiKey: 'admin-key' });
  expect(await coreConfig('42', false).credentials()).toEqual({ token: 'admin-key' });
  expect(localStorage.length).toBe(0);
});

test('without storage the id lasts as long as the page', async () => {
  configure({ gatewayUrl: 'https://api.example' });
  vi.stubGlobal('localStorage', {
    getItem() {
      throw new Error('denied');
    },
    setItem() {
      throw new Error('denied');
    },
  });
  const first = await coreConfig('42', false, {}).credentials();
  expect(first).toMatchObject({ visitorId: expect.any(String) });
  expect(await coreConfig('42', false, {}).credentials()).toEqual(first);
});
