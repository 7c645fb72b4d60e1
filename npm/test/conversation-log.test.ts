/** What a conversation shows: each message once, in order, whatever is told of it and how often. */
import { expect, test } from 'vitest';
import {
  acknowledged,
  again,
  delayed,
  EMPTY,
  type Entry,
  failed,
  type Log,
  MOST_ENTRIES,
  own,
  remembered,
  told,
  tried,
  written,
} from '../lib/conversation/log.js';
import { ChatError } from '../lib/errors.js';
import type { ChatMessage } from '../lib/types.js';
import { Random } from './random.js';

const away = new ChatError('UNAVAILABLE', 'away');

const time = (seconds: number) => new Date(1_705_314_600_000 + seconds * 1000).toISOString();

const message = (
  id: string,
  seconds: number,
  more: Partial<ChatMessage> = {},
): ChatMessage => ({ id, text: `text of ${id}`, sender: 'agent', timestamp: time(seconds), ...more });

const mine = (id: string, seconds: number, text: string, clientId?: string): ChatMessage =>
  message(id, seconds, { text, sender: 'user', ...(clientId && { clientId }) });

const sent = (log: Log, name: string, text: string) =>
  tried(written(log, name, text, 'user'), name);

const shown = ({ entries }: Log) => entries.map(({ id, key, state }) => [key, id, state]);

test('an own message is there at once, and one message with its receipt and its broadcast', () => {
  const waiting = sent(EMPTY, 'n1', 'hi');
  expect(shown(waiting)).toEqual([['n1', null, 'pending']]);
  const receipt = { messageId: 'm1', timestamp: time(1) };
  const broadcast = mine('m1', 1, 'hi', 'n1');
  const one = told(acknowledged(waiting, 'n1', receipt), broadcast);
  const two = acknowledged(told(waiting, broadcast), 'n1', receipt);
  for (const log of [one, two]) {
    expect(shown(log)).toEqual([['n1', 'm1', 'delivered']]);
    expect(log.entries[0]).toMatchObject({ timestamp: time(1), message: broadcast, error: null });
    expect(told(log, broadcast)).toBe(log);
    expect(acknowledged(log, 'n1', receipt)).toBe(log);
    expect(remembered(log, [broadcast])).toBe(log);
  }
});

test('what the server has stands in the order of its time, and the rest behind it', () => {
  let log = sent(EMPTY, 'n1', 'mine');
  log = told(log, message('m3', 3));
  log = remembered(log, [message('m1', 1), message('m2', 2), message('m3', 3)]);
  expect(shown(log).map(([key]) => key)).toEqual(['m1', 'm2', 'm3', 'n1']);
  log = acknowledged(log, 'n1', { messageId: 'm25', timestamp: time(2.5) });
  expect(shown(log).map(([key]) => key)).toEqual(['m1', 'm2', 'n1', 'm3']);
});

test('equal times are in the order of arrival, and no time is now', () => {
  let log = told(EMPTY, message('b', 1));
  log = told(log, message('a', 1));
  log = told(log, message('c', 0, { timestamp: 'yesterday' }));
  log = told(log, message('d', 2));
  expect(shown(log).map(([key]) => key)).toEqual(['b', 'a', 'c', 'd']);
});

test('without names an acknowledged message is known by its id, and another of the same text is another', () => {
  let log = sent(EMPTY, 'n1', 'hi');
  log = acknowledged(log, 'n1', { messageId: 'm1', timestamp: time(1) });
  log = sent(log, 'n2', 'hi');
  log = told(log, mine('m1', 1, 'hi'));
  expect(shown(log)).toEqual([
    ['n1', 'm1', 'delivered'],
    ['n2', null, 'pending'],
  ]);
  expect(log.names).toBe(false);
});

test('a server that never acknowledges delivers by its broadcast, the oldest first', () => {
  let log = sent(sent(EMPTY, 'n1', 'hi'), 'n2', 'hi');
  log = told(log, mine('m1', 1, 'hi'));
  expect(shown(log)).toEqual([
    ['n1', 'm1', 'delivered'],
    ['n2', null, 'pending'],
  ]);
  log = told(log, mine('m2', 2, 'hi'));
  expect(shown(log).map(([, id]) => id)).toEqual(['m1', 'm2']);
});

test('an acknowledgement without an id delivers, and the broadcast brings the id', () => {
  const log = acknowledged(sent(EMPTY, 'n1', 'hi'), 'n1', {});
  expect(shown(log)).toEqual([['n1', null, 'delivered']]);
  expect(shown(told(log, mine('m1', 1, 'hi')))).toEqual([['n1', 'm1', 'delivered']]);
});

test('what was taken for an own message by its text is another one if the receipt says so', () => {
  let log = sent(EMPTY, 'n1', 'hi');
  const fromOtherTab = mine('m0', 1, 'hi');
  log = told(log, fromOtherTab);
  log = told(log, mine('m1', 2, 'hi'));
  log = acknowledged(log, 'n1', { messageId: 'm1', timestamp: time(2) });
  expect(shown(log)).toEqual([
    ['m0', 'm0', 'delivered'],
    ['n1', 'm1', 'delivered'],
  ]);
});

test('a message that was taken for another of the same text leaves that one as it was', () => {
  let log = failed(sent(EMPTY, 'n1', 'hi'), 'n1', away);
  log = sent(log, 'n2', 'hi');
  log = told(log, mine('m2', 2, 'hi'));
  log = acknowledged(log, 'n2', { messageId: 'm2', timestamp: time(2) });
  expect(shown(log)).toEqual([
    ['n2', 'm2', 'delivered'],
    ['n1', null, 'failed'],
  ]);
  expect(own(log, 'n1')?.error).toBe(away);
});

test('by its text a message is no other that was never sent, of another sender, or of a server with names', () => {
  const unsent = written(EMPTY, 'n1', 'hi', 'user');
  expect(told(unsent, mine('m1', 1, 'hi')).entries).toHaveLength(2);
  const log = sent(EMPTY, 'n1', 'hi');
  expect(told(log, message('m1', 1, { text: 'hi' })).entries).toHaveLength(2);
  expect(told(log, mine('m1', 1, 'hi', 'other')).entries).toHaveLength(2);
  expect(remembered(log, [mine('m1', 1, 'hi')]).entries).toHaveLength(2);
  const withNames = told(log, message('m0', 0, { clientId: 'x' }));
  expect(told(withNames, mine('m1', 1, 'hi')).entries).toHaveLength(3);
});

test("a name that somebody else uses touches nothing of one's own", () => {
  let log = sent(EMPTY, 'n1', 'mine');
  const asAgent = message('m0', 1, { clientId: 'n1' });
  log = told(log, asAgent);
  expect(shown(log)).toEqual([
    ['m0', 'm0', 'delivered'],
    ['n1', null, 'pending'],
  ]);
  log = acknowledged(log, 'n1', { messageId: 'm1', timestamp: time(2) });
  log = told(log, mine('m9', 3, 'not mine', 'n1'));
  expect(own(log, 'n1')).toMatchObject({ id: 'm1', text: 'mine' });
  expect(shown(failed(log, 'n1', away)).map(([key]) => key)).toEqual(['m0', 'n1', 'm9']);
});

test('a failed message can be sent again; one that arrived after all has not failed', () => {
  const lost = failed(sent(EMPTY, 'n1', 'hi'), 'n1', away);
  expect(lost.entries[0]).toMatchObject({ state: 'failed', error: away });
  expect(again(lost, 'n1').entries[0]).toMatchObject({ state: 'pending', error: null, tries: 1 });
  expect(again(EMPTY, 'n1')).toBe(EMPTY);
  const arrived = told(lost, mine('m1', 1, 'hi', 'n1'));
  expect(shown(arrived)).toEqual([['n1', 'm1', 'delivered']]);
  expect(failed(arrived, 'n1', away)).toBe(arrived);
  expect(delayed(arrived, 'n1', away)).toBe(arrived);
  expect(again(arrived, 'n1')).toBe(arrived);
  expect(delayed(lost, 'n1', new ChatError('TIMEOUT', 'late'))).toBe(lost);
});

test('the latest stay', () => {
  const all = Array.from({ length: MOST_ENTRIES + 5 }, (_, index) => message(`m${index}`, index));
  const log = remembered(EMPTY, all);
  expect(log.entries).toHaveLength(MOST_ENTRIES);
  expect(log.entries[0]?.id).toBe('m5');
  expect(remembered(log, all)).toBe(log);
});

test('what is still under way stays, however much it is', () => {
  const names = Array.from({ length: MOST_ENTRIES + 5 }, (_, index) => `n${index}`);
  const all = names.reduce((log, name) => written(log, name, 'hi', 'user'), told(EMPTY, message('m0', 0)));
  expect(all.entries.map(({ key }) => key)).toEqual(names);
});

/** `confirms`: from then on this own message is delivered, whatever comes. */
interface Step {
  readonly run: (log: Log) => Log;
  readonly confirms?: string;
}

/** What a client with some own messages may hear of one conversation, in one of many orders. */
function history(seed: number): { steps: Step[]; all: ChatMessage[]; ids: Map<string, string> } {
  const random = new Random(seed);
  const names = random.chance(0.5);
  const all: ChatMessage[] = [];
  const ids = new Map<string, string>();
  const due: { at: number; step: Step }[] = [];
  const add = (at: number, run: Step['run'], confirms?: string) =>
    due.push({ at, step: { run, ...(confirms && { confirms }) } });
  const later = (at: number, run: Step['run'], confirms?: string) =>
    add(at + random.next() * 6, run, confirms);
  let seconds = 0;
  for (let index = 0; index < 1 + random.below(12); index += 1) {
    seconds += random.below(3);
    const id = `m${index}`;
    const text = `text ${random.below(2)}`;
    const clientId = `n${index}`;
    if (random.chance(0.6)) {
      const said = mine(id, seconds, text, names ? clientId : undefined);
      all.push(said);
      ids.set(clientId, id);
      add(index, (log) => written(log, clientId, text, 'user'));
      add(index, (log) => tried(log, clientId));
      const receipt = { messageId: id, timestamp: said.timestamp };
      if (random.chance(0.7)) later(index, (log) => acknowledged(log, clientId, receipt), clientId);
      if (random.chance(0.2)) later(index, (log) => failed(log, clientId, away));
      const named = names ? clientId : undefined;
      if (random.chance(0.8)) later(index, (log) => told(log, said), named);
      // In the end there is an answer to a retry.
      add(1000, (log) => acknowledged(log, clientId, receipt), clientId);
    } else {
      const said = message(id, seconds, random.chance(0.3) ? { text, sender: 'user' } : { text });
      all.push(said);
      if (random.chance(0.8)) later(index, (log) => told(log, said));
    }
    if (random.chance(0.2)) {
      const soFar = [...all];
      later(index, (log) => remembered(log, soFar));
    }
  }
  add(2000, (log) => remembered(log, all));
  due.sort((one, other) => one.at - other.at);
  return { steps: due.map(({ step }) => step), all, ids };
}

function check(log: Log): void {
  const { entries } = log;
  const waiting = entries.findIndex(({ state }) => state !== 'delivered');
  const delivered = waiting < 0 ? entries : entries.slice(0, waiting);
  const unique = (values: unknown[]) => new Set(values).size === values.length;
  expect(entries.slice(delivered.length).some(({ state }) => state === 'delivered')).toBe(false);
  expect(delivered.map(({ at }) => at)).toEqual(
    delivered.map(({ at }) => at).sort((one, other) => one - other),
  );
  expect(unique(entries.map(({ key }) => key))).toBe(true);
  expect(unique(entries.flatMap(({ id }) => id ?? []))).toBe(true);
}

test.each(Array.from({ length: 20 }, (_, block) => block))(
  'any order of events comes to the same messages, block %i',
  (block) => {
    for (let seed = block * 50; seed < (block + 1) * 50; seed += 1) {
      const { steps, all, ids } = history(seed);
      const confirmed = new Set<string>();
      let log = EMPTY;
      try {
        for (const { run, confirms } of steps) {
          log = run(log);
          if (confirms) confirmed.add(confirms);
          check(log);
          for (const name of confirmed) {
            expect(own(log, name), name).toMatchObject({ id: ids.get(name), state: 'delivered' });
          }
        }
        expect(log.entries).toHaveLength(all.length);
        expect(new Set(log.entries.map(({ id }) => id))).toEqual(new Set(all.map(({ id }) => id)));
        for (const [name, id] of ids) {
          expect(own(log, name)).toMatchObject<Partial<Entry>>({ id, state: 'delivered' });
        }
        // Once more, it changes nothing.
        for (const said of all) {
          expect(told(log, said).entries).toBe(log.entries);
        }
        expect(remembered(log, all)).toBe(log);
        for (const [name, id] of ids) {
          expect(acknowledged(log, name, { messageId: id, timestamp: time(0) })).toBe(log);
        }
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  },
);
