/** Tokens as the issuer of a shop's accounts signs them, with a secret that it shares with the server. */
import { createHmac } from 'node:crypto';

export const SECRET = 'a shared secret of the whole-system tests';

const HOUR = 3600;

export function jwt(claims: Record<string, unknown>, secret = SECRET): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

export const inAnHour = (): number => Math.floor(Date.now() / 1000) + HOUR;
export const anHourAgo = (): number => Math.floor(Date.now() / 1000) - HOUR;
