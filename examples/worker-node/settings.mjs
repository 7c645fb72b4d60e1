/** What the environment says; README.md is where it is documented. */
import { hostname } from 'node:os';

export function readSettings(env = process.env) {
  const idleMs = number('CLAIM_IDLE_MS', env.CLAIM_IDLE_MS, 30_000);
  return {
    redisUrl: env.REDIS_URL ?? 'redis://127.0.0.1:6379',
    chatUrl: (env.CHAT_URL ?? 'http://127.0.0.1:3000').replace(/\/+$/, ''),
    adminKeys: keys(env.ADMIN_KEYS ?? '{"demo":"demo-admin-key"}'),
    group: env.GROUP ?? 'example-bot',
    consumer: env.CONSUMER ?? hostname(),
    idleMs,
    // An answer that takes longer must have ended before another worker may take the message over.
    answerMs: idleMs / 2,
  };
}

function keys(text) {
  let read;
  try {
    read = JSON.parse(text);
  } catch {
    // Not the parser's own words: they repeat the keys.
  }
  if (typeof read !== 'object' || read === null) {
    throw new Error('ADMIN_KEYS is written like {"a tenant":"its admin key"}');
  }
  return new Map(Object.entries(read));
}

function number(name, text, otherwise) {
  const value = Number(text ?? otherwise);
  if (!Number.isInteger(value) || value <= 0) throw new Error(`${name} is a number of milliseconds`);
  return value;
}
