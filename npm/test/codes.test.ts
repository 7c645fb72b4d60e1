/** The codes of the types are those of the protocol, which has the only list. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ChatError, type ClientErrorCode, type ServerErrorCode } from '../lib/errors.js';
import { REFUSALS } from '../lib/widget/notice.js';

const source = readFileSync(
  fileURLToPath(new URL('../../protocol/src/code.rs', import.meta.url)),
  'utf8',
);
const listed = [...source.matchAll(/= "([A-Z_]+)", (\d+), (Later|Never);/g)].map(
  ([, name = '', status, retry]) => ({
    name,
    status,
    server: status !== '0',
    final: retry === 'Never',
  }),
);
const names = (server: boolean) =>
  listed.filter((code) => code.server === server).map(({ name }) => name).sort();

// The compiler fails these where they miss a name of the type, or have one that it has not.
const server: Record<ServerErrorCode, true> = {
  TENANT_REQUIRED: true,
  TENANT_MISMATCH: true,
  INVALID_PAYLOAD: true,
  TEXT_REQUIRED: true,
  CREDENTIAL_REQUIRED: true,
  INVALID_TOKEN: true,
  TOKEN_EXPIRED: true,
  INVALID_API_KEY: true,
  ADMIN_REQUIRED: true,
  WRONG_TENANT: true,
  ORIGIN_NOT_ALLOWED: true,
  UNKNOWN_TENANT: true,
  UNKNOWN_SESSION: true,
  NOT_FOUND: true,
  METHOD_NOT_ALLOWED: true,
  TEXT_TOO_LONG: true,
  PAYLOAD_TOO_LARGE: true,
  RATE_LIMITED: true,
  TOO_MANY_CONNECTIONS: true,
  INTERNAL: true,
  UNAVAILABLE: true,
  SHUTTING_DOWN: true,
};
const client: Record<ClientErrorCode, true> = {
  NETWORK_ERROR: true,
  TIMEOUT: true,
  NOT_CONNECTED: true,
  DISCONNECTED: true,
  CONNECTION_REFUSED: true,
  INVALID_RESPONSE: true,
  HTTP_ERROR: true,
  TOKEN_UNAVAILABLE: true,
  INVALID_CONFIG: true,
  ABORTED: true,
  WASM_UNAVAILABLE: true,
};

test('the types name every code, and no other', () => {
  expect(Object.keys(server).sort()).toEqual(names(true));
  expect(Object.keys(client).sort()).toEqual(names(false));
});

test('the widget gives up only after what the protocol calls final', () => {
  const final = listed.filter((code) => code.final).map(({ name }) => name);
  expect(final).toEqual(expect.arrayContaining(Object.keys(REFUSALS)));
});

const pages = fileURLToPath(new URL('../docs/errors/', import.meta.url));

test('every code has a page that says of it what the protocol says', () => {
  const files = readdirSync(pages).filter((file) => file !== 'README.md');
  expect(files.sort()).toEqual(listed.map(({ name }) => `${name}.md`).sort());
  const index = readFileSync(`${pages}README.md`, 'utf8');
  for (const { name, status, server: raisedByServer, final } of listed) {
    const page = readFileSync(`${pages}${name}.md`, 'utf8');
    expect(page).toMatch(new RegExp(`^# ${name}\n`));
    expect(page).toContain(`| Raised by | ${raisedByServer ? 'the server' : 'the package'} |`);
    expect(page).toContain(`| HTTP status | ${raisedByServer ? status : '–'} |`);
    expect(page).toContain(`trying again unchanged help | ${final ? 'no' : 'yes'} |`);
    expect(page).toContain('\n## What to do\n');
    expect(index).toContain(`[\`${name}\`](${name}.md)`);
  }
});

test('an error names its page', () => {
  const { help } = new ChatError('TIMEOUT', 'no answer in time');
  const page = help.slice(help.indexOf('/npm/docs/errors/') + '/npm/docs/errors/'.length);
  expect(readdirSync(pages)).toContain(page);
});
