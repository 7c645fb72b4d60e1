/** The judge of the other tests is judged itself, by made-up logs. */
import { describe, expect, test } from 'vitest';
import { figuresOf } from '../support/figures.ts';
import type { Noticed } from '../support/observer.ts';
import { absences, type Span } from '../support/truth.ts';

const GRACE = 100;
const NOW = 10_000;

const span = (from: number, to = Infinity): Span => ({ sessionId: `s${from}`, from, to });

const online = (at: number, sessionId: string): Noticed => ({
  at,
  kind: 'online',
  userId: 'ann',
  sessionId,
});
const offline = (at: number): Noticed => ({ at, kind: 'offline', userId: 'ann' });
const list = (at: number, ...sessions: string[]): Noticed => ({
  at,
  kind: 'list',
  users: sessions.map((sessionId) => ({ userId: 'ann', sessionId })),
});
const connected = (at: number): Noticed => ({ at, kind: 'connected' });
const disconnected = (at: number): Noticed => ({ at, kind: 'disconnected' });

const begun = [connected(0), list(1)];

function judge(spans: readonly Span[], log: readonly Noticed[]) {
  const figures = figuresOf(new Map([['ann', spans]]), [{ admin: 'a', log }], GRACE, NOW);
  return { ...figures, announcements: figures.announcements.map(({ times }) => times) };
}

describe('absences', () => {
  test('begin after the grace time, and end with the next session', () => {
    expect(absences([span(10, 20), span(500)], GRACE, 0, 1000)).toEqual([
      { from: 0, to: 10 },
      { from: 120, to: 500 },
    ]);
  });

  test('are none while another session lives, or within the grace time', () => {
    expect(absences([span(0, 300), span(200, 400), span(450)], GRACE, 0, 1000)).toEqual([]);
  });
});

test('who comes and goes and is announced once each costs nothing', () => {
  expect(judge([span(10, 200)], [...begun, online(10, 's10'), offline(300)])).toEqual({
    falseOfflines: [],
    ghosts: [],
    repeatedOfflines: 0,
    repeatedOnlines: 0,
    announcements: [1],
  });
});

test('who is taken for gone though there is a false offline, by an event or by a list', () => {
  const flicker = [...begun, online(10, 's10'), offline(300), online(310, 's10'), list(400)];
  expect(judge([span(10)], flicker).falseOfflines.map(({ by }) => by)).toEqual(['event', 'list']);
});

test('who was taken for gone within the grace time is a false offline', () => {
  const log = [...begun, online(10, 's10'), offline(250), online(280, 's280')];
  expect(judge([span(10, 200), span(280)], log).falseOfflines).toHaveLength(1);
});

test('a late announcement of a real absence is none', () => {
  const log = [...begun, online(10, 's10'), offline(600), online(601, 's500')];
  expect(judge([span(10, 200), span(500)], log).falseOfflines).toEqual([]);
});

test('a user who stays on the screen is a ghost from the end of the grace time on', () => {
  const log = [...begun, online(10, 's10'), offline(1300)];
  expect(judge([span(10, 200)], log).ghosts).toEqual([1000]);
  const forever = [...begun, online(10, 's10')];
  expect(judge([span(10, 200)], forever).ghosts).toEqual([NOW - 300]);
});

test('the screen of an admin without a connection shows no ghosts', () => {
  const log = [...begun, online(10, 's10'), disconnected(400), connected(900), list(950)];
  expect(judge([span(10, 200)], log).ghosts).toEqual([100, 50]);
});

test('what was told already is counted as repeated', () => {
  const log = [...begun, online(10, 's10'), online(20, 's10'), offline(300), offline(310)];
  expect(judge([span(10, 200)], log)).toMatchObject({
    repeatedOnlines: 1,
    repeatedOfflines: 1,
    announcements: [2],
  });
});

test('a leave that nobody is told of counts as not announced', () => {
  expect(judge([span(10, 200)], [...begun, online(10, 's10')]).announcements).toEqual([0]);
});

test('the leave of somebody who was never shown, or no longer, need not be announced', () => {
  expect(judge([span(10, 200)], begun).announcements).toEqual([]);
  const taken = [...begun, online(10, 's10'), offline(100)];
  expect(judge([span(10, 200)], taken).announcements).toEqual([]);
});
