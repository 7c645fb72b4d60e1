/**
 * Reads visitors' messages from the stream and answers them as a bot.
 *
 * A message is acknowledged once it is answered. Until then it is this group's to do: if the worker or the answer fails,
 * it is claimed again after CLAIM_IDLE_MS, by whichever worker comes first. So each is handled at least once, and a note
 * under its messageId keeps it from being answered twice.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Refused, answerTo, say } from './answer.mjs';
import { readSettings } from './settings.mjs';

const STREAM = 'meta:webhook_jobs';
/** How many messages are taken at a time. */
const BATCH = 10;
/** How long is waited for new messages before stuck ones are looked for. */
const LONGEST_BLOCK_MS = 5000;
/** How long it is remembered that a message was answered. */
const REMEMBERED_SECONDS = 24 * 60 * 60;

const settings = readSettings();
const { group, consumer, idleMs } = settings;

const redis = new Redis(settings.redisUrl);
/** Waits for messages; a connection that waits can do nothing else. */
const reader = redis.duplicate({ maxRetriesPerRequest: null });
for (const connection of [redis, reader]) {
  connection.on('error', (error) => console.error(`redis: ${error.message}`));
}

const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    stopping.abort();
    // Ends the wait. The message that is being answered is answered first.
    reader.disconnect();
  });
}

await run();
await redis.quit();

async function run() {
  // Only what is said from now on: nobody waits for an answer to last month's questions.
  let from = '$';
  while (!stopping.signal.aborted) {
    try {
      await createGroup(from);
      // A group that is gone went with the whole stream, so all there is then is new.
      from = '0';
      console.log(`waiting for messages as ${consumer} of ${group}`);
      await work();
    } catch (error) {
      if (stopping.signal.aborted) return;
      console.error(`trying on: ${error.message}`);
      await pause(1000, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }
}

async function createGroup(from) {
  try {
    await redis.xgroup('CREATE', STREAM, group, from, 'MKSTREAM');
  } catch (error) {
    if (!error.message.startsWith('BUSYGROUP')) throw error;
  }
}

async function work() {
  while (!stopping.signal.aborted) {
    for (const take of [takeStuck, takeNew]) {
      for (const [id, fields] of await take()) {
        if (stopping.signal.aborted) return;
        await handle(id, fields);
      }
    }
  }
}

async function takeStuck() {
  const [, entries] = await redis.xautoclaim(STREAM, group, consumer, idleMs, '0', 'COUNT', BATCH);
  // An entry may have been trimmed since it was taken.
  return entries.filter((entry) => entry?.[1]);
}

async function takeNew() {
  const block = Math.min(LONGEST_BLOCK_MS, idleMs);
  const streams = await reader.xreadgroup(
    'GROUP', group, consumer, 'COUNT', BATCH, 'BLOCK', block, 'STREAMS', STREAM, '>',
  );
  return streams?.[0][1] ?? [];
}

async function handle(id, fields) {
  const message = readMessage(fields);
  if (!message || !settings.adminKeys.has(String(message.tenantId))) {
    // Another worker's, or of a tenant that this bot does not serve.
    await redis.xack(STREAM, group, id);
    return;
  }
  const note = `${group}:message:${message.messageId}`;
  if ((await redis.set(note, 'answering', 'PX', idleMs, 'NX')) === null) {
    // Answered, then only the acknowledgement was lost; or being answered, then that worker will acknowledge it.
    if ((await redis.get(note)) === 'answered') await redis.xack(STREAM, group, id);
    return;
  }
  try {
    const answer = await answerTo(message);
    if (answer !== undefined) await say(settings, message, answer);
  } catch (error) {
    if (!(error instanceof Refused)) {
      console.error(`message ${message.messageId} waits for another try: ${error.message}`);
      await redis.del(note);
      return;
    }
    console.error(`message ${message.messageId} cannot be answered: ${error.message}`);
  }
  await redis
    .multi()
    .set(note, 'answered', 'EX', REMEMBERED_SECONDS)
    .xack(STREAM, group, id)
    .exec();
}

/** The message of an entry, if it is one. */
function readMessage(fields) {
  const entry = {};
  for (let index = 0; index < fields.length; index += 2) entry[fields[index]] = fields[index + 1];
  if (entry.job_type !== 'webchat_webhook') return undefined;
  try {
    return JSON.parse(entry.payload);
  } catch {
    return undefined;
  }
}
