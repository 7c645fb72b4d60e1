/** Times and people in words. */
import { expect, test } from 'vitest';
import { initialOf, pageAddress, visitorName } from '../lib/components/people.js';
import { ago, dayName, duration } from '../lib/components/times.js';

const NOON = new Date(2024, 0, 15, 12).getTime();

test('a duration counts as a clock does', () => {
  expect([0, 7, 60, 760, 3_600, 10_929].map(duration)).toEqual([
    ...['0:00', '0:07', '1:00', '12:40', '1:00:00', '3:02:09'],
  ]);
});

test('how long ago it was is told in the unit that matters, in the reader’s language', () => {
  const told = (seconds: number, locale = 'en-GB') => ago(NOON - seconds * 1000, NOON, locale);
  expect(told(5)).toBe('now');
  expect(told(125)).toMatch(/^2.*min/);
  expect(told(7_300)).toMatch(/^2.*h/);
  expect(told(86_400)).toBe('yesterday');
  expect(told(20 * 86_400)).toBe('26 Dec');
  expect(told(86_400, 'de')).toBe('gestern');
  expect(told(-60)).toBe('now');
});

test('a day is today, yesterday, or its date', () => {
  const day = 86_400_000;
  expect(dayName(NOON, NOON, 'en-GB')).toBe('Today');
  expect(dayName(NOON - day, NOON, 'de')).toBe('Gestern');
  expect(dayName(NOON - 3 * day, NOON, 'en-GB')).toMatch(/Friday,? 12 January/);
});

test('a visitor without a name is called by the beginning of their id', () => {
  expect(visitorName('anonymous-8f2c1ab77d')).toBe('Visitor 8f2c1a');
  expect(visitorName('anonymous-8f2c1ab77d', 'Gast')).toBe('Gast 8f2c1a');
  expect(visitorName('anonymous-~446d7aa0')).toBe('Visitor 446d7a');
  expect(visitorName('ann')).toBe('ann');
  expect([initialOf('ann'), initialOf('anonymous-~c0'), initialOf('')]).toEqual(['A', 'C', '?']);
});

test('only addresses of pages can be followed', () => {
  expect(pageAddress('https://a.example/b?c=d#e')).toEqual({
    href: 'https://a.example/b?c=d#e',
    host: 'a.example',
    path: '/b?c=d',
  });
  const script = 'javascript:alert(1)';
  expect(pageAddress(script)).toEqual({ href: undefined, host: '', path: script });
  expect(pageAddress('/cart')).toEqual({ href: undefined, host: '', path: '/cart' });
  expect(pageAddress(undefined)).toEqual({ href: undefined, host: '', path: '' });
});

test('letters of an address are shown, and nothing that could make it look like another one', () => {
  const shown = (path: string) => pageAddress(`https://a.example${path}`).path;
  expect(shown('/سلة/schöne schuhe?größe=42')).toBe('/سلة/schöne%20schuhe?größe=42');
  // Directions, spaces of another width, half a letter, and what separates the parts.
  for (const path of ['/%E2%80%AE/', '/a%E2%80%83b', '/%C3', '/a%2Fb%3Fc%25']) {
    expect(shown(path)).toBe(path);
  }
});
