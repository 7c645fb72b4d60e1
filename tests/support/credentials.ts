/** Who may come in and who may not, by our server's rules: the same wherever somebody knocks. */
import type { ClientOptions } from './official-client.ts';
import { anHourAgo, inAnHour, jwt } from './token.ts';

export const TENANTS = `
[[tenants]]
id = "42"
name = "Shop"
admin_keys = ["forty-two-admin"]
widget_keys = ["forty-two-widget"]
allowed_origins = ["https://shop.example"]

[[tenants]]
id = "open"
name = "Open shop"
admin_keys = ["open-admin"]
widget_keys = []
allowed_origins = []
`;

const asAdmin = { query: { role: 'admin' } };

/** What each of these is told, and how it shows itself. */
export const refusals: Record<string, [code: string, options: ClientOptions]> = {
  'no tenant': ['TENANT_REQUIRED', { tenantId: '' }],
  'an unknown tenant': ['UNKNOWN_TENANT', { tenantId: 'nobody' }],
  'an admin without a credential': ['CREDENTIAL_REQUIRED', { tenantId: 'open', ...asAdmin }],
  'an admin with a wrong key': [
    'INVALID_API_KEY',
    { tenantId: 'open', ...asAdmin, auth: { token: 'guessed' } },
  ],
  'a widget key in place of an admin key': [
    'ADMIN_REQUIRED',
    { tenantId: '42', ...asAdmin, auth: { token: 'forty-two-widget' } },
  ],
  'a visitor without the widget key': ['CREDENTIAL_REQUIRED', { tenantId: '42' }],
  'an expired token': [
    'TOKEN_EXPIRED',
    {
      tenantId: 'open',
      auth: { token: jwt({ sub: 'u', tenantId: 'open', role: 'user', exp: anHourAgo() }) },
    },
  ],
  'a token without an end': [
    'INVALID_TOKEN',
    { tenantId: 'open', auth: { token: jwt({ sub: 'u', tenantId: 'open', role: 'user' }) } },
  ],
  'a token signed by someone else': [
    'INVALID_TOKEN',
    {
      tenantId: 'open',
      auth: {
        token: jwt({ sub: 'u', tenantId: 'open', role: 'user', exp: inAnHour() }, 'other'),
      },
    },
  ],
  'a token of another tenant': [
    'WRONG_TENANT',
    {
      tenantId: 'open',
      ...asAdmin,
      auth: { token: jwt({ sub: 'u', tenantId: 42, role: 'admin', exp: inAnHour() }) },
    },
  ],
  "a user's token that asks for the admin role": [
    'ADMIN_REQUIRED',
    {
      tenantId: 'open',
      ...asAdmin,
      auth: { token: jwt({ sub: 'u', tenantId: 'open', role: 'user', exp: inAnHour() }) },
    },
  ],
  "a page that is not the tenant's": [
    'ORIGIN_NOT_ALLOWED',
    {
      tenantId: '42',
      auth: { token: 'forty-two-widget' },
      socket: { extraHeaders: { origin: 'https://evil.example' } },
    },
  ],
};

/** Those who are let in. */
export const admitted: Record<string, ClientOptions> = {
  'an admin key': { tenantId: '42', ...asAdmin, auth: { token: 'forty-two-admin' } },
  'an admin key as apiKey': { tenantId: '42', ...asAdmin, auth: { apiKey: 'forty-two-admin' } },
  'the role asked for in auth': {
    tenantId: '42',
    auth: { role: 'admin', token: 'forty-two-admin' },
  },
  'a bearer header': {
    tenantId: '42',
    ...asAdmin,
    socket: { extraHeaders: { authorization: 'Bearer forty-two-admin' } },
  },
  'a token whose tenant is a number': {
    tenantId: '42',
    ...asAdmin,
    auth: { token: jwt({ sub: 'boss', tenantId: 42, role: 'admin', exp: inAnHour() }) },
  },
  'a token with tenant_id': {
    tenantId: '42',
    ...asAdmin,
    auth: { token: jwt({ sub: 'boss', tenant_id: '42', role: 'admin', exp: inAnHour() }) },
  },
  "a widget key on the tenant's page": {
    tenantId: '42',
    auth: { token: 'forty-two-widget' },
    socket: { extraHeaders: { origin: 'https://shop.example' } },
  },
  'a widget key without a page': { tenantId: '42', auth: { token: 'forty-two-widget' } },
  'a visitor of an open tenant': { tenantId: 'open' },
};
