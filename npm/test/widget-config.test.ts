/** What a site writes in `window.ChatWidgetConfig`, right or wrong, and in which language it is answered. */
import { expect, test } from 'vitest';
import { readConfig, type Surroundings } from '../lib/widget/config.js';
import { readableOn } from '../lib/widget/colors.js';
import { languageOf, textsOf } from '../lib/widget/strings.js';

const PAGE: Surroundings = {
  scriptUrl: 'https://chat.example/assets/widget.v1.js?v=1',
  lang: '',
  dir: '',
  language: 'en-GB',
  isColor: (color) => color === 'teal',
};

const read = (config: unknown, page: Partial<Surroundings> = {}) =>
  readConfig(config, { ...PAGE, ...page });

test('a tenant is enough: the rest is as the page and the browser have it', () => {
  expect(read({ tenantId: 42 })).toMatchObject({
    problems: [],
    options: {
      tenantId: '42',
      baseUrl: 'https://chat.example',
      isLeft: false,
      theme: 'auto',
      locale: 'en-GB',
      dir: 'ltr',
      autoConnect: true,
      fullUrls: false,
    },
  });
});

test('what a page says counts', () => {
  const config = {
    tenantId: 'shop',
    baseUrl: 'https://other.example',
    position: 'bottom-left',
    siteId: 7,
    color: 'teal',
    theme: 'dark',
    locale: 'de-CH',
    autoConnect: false,
    fullUrls: true,
  };
  expect(read(config)).toMatchObject({
    problems: [],
    options: {
      baseUrl: 'https://other.example',
      isLeft: true,
      siteId: '7',
      color: 'teal',
      theme: 'dark',
      locale: 'de-CH',
      texts: { open: 'Chat öffnen' },
      autoConnect: false,
      fullUrls: true,
    },
  });
});

test.each([
  [undefined, 'tenantId'],
  ['demo', 'tenantId'],
  [{ tenantId: '' }, 'tenantId'],
  [{ tenantId: {} }, 'tenantId must be'],
])('without a tenant there is no widget: %j', (config, problem) => {
  const { options, problems } = read(config);
  expect(options).toBeUndefined();
  expect(problems.join()).toContain(problem);
});

test('a script without an address needs a server', () => {
  for (const scriptUrl of [undefined, '', 'file:///widget.v1.js']) {
    const { options, problems } = read({ tenantId: '42' }, { scriptUrl });
    expect(options).toBeUndefined();
    expect(problems).toEqual([expect.stringContaining('baseUrl')]);
  }
});

test.each(['https://', 'https:///chat', 'https://[', 'https://chat.example:port', 'http://a b.example', 'chat.example'])(
  'what only looks like an address is none: %s',
  (baseUrl) => {
    const { options, problems } = read({ tenantId: '42', baseUrl });
    expect(options?.baseUrl).toBe('https://chat.example');
    expect(problems).toEqual([expect.stringMatching(/^baseUrl must be an address/)]);
  },
);

test('what cannot be used is left out, and said', () => {
  const { options, problems } = read({
    tenantId: '42',
    tenantID: '43',
    constructor: 1,
    position: 'top',
    color: 'bluish',
    theme: 7,
    locale: 'not a tag',
    dir: 'up',
    autoConnect: 'no',
    texts: { titel: 'Hallo', send: 'Los' },
    baseUrl: 'javascript:alert(1)',
  });
  expect(options).toMatchObject({ baseUrl: 'https://chat.example', color: undefined, theme: 'auto' });
  expect(options?.texts).toMatchObject({ send: 'Los', title: 'Chat with us' });
  for (const name of ['tenantID', 'constructor', 'position', 'color', 'theme', 'locale', 'dir', 'autoConnect', 'titel', 'baseUrl']) {
    expect(problems.filter((problem) => problem.includes(name))).not.toEqual([]);
  }
});

test('the language is the configured one, else the page\'s, else the browser\'s', () => {
  expect(read({ tenantId: 1, locale: 'fr' }, { lang: 'de', language: 'es' }).options?.locale).toBe('fr');
  expect(read({ tenantId: 1 }, { lang: 'de-AT', language: 'es' }).options?.locale).toBe('de-AT');
  expect(read({ tenantId: 1 }, { lang: 'xx', language: 'es' }).options?.locale).toBe('es');
  expect(languageOf(['tlh', 'en_US'], undefined)).toBe('en');
  expect(languageOf(['nl'], { nl: { send: 'Stuur' } })).toBe('nl');
});

test('the direction follows the configured language, else the page, else the language', () => {
  const dir = (config: object, page: Partial<Surroundings>) =>
    read({ tenantId: 1, ...config }, page).options;
  expect(dir({ locale: 'ar' }, { dir: 'ltr' })).toMatchObject({ dir: 'rtl', isLeft: true });
  expect(dir({}, { lang: 'ar' })?.dir).toBe('rtl');
  expect(dir({}, { lang: 'de', dir: 'rtl' })?.dir).toBe('rtl');
  expect(dir({ locale: 'ar', dir: 'ltr' }, {})).toMatchObject({ dir: 'ltr', isLeft: false });
  expect(dir({ locale: 'ar', position: 'bottom-right' }, {})?.isLeft).toBe(false);
});

test('texts are the built-in ones under those for all languages under those for one', () => {
  const texts = { title: 'A', send: 'B', de: { title: 'C' }, 'de-CH': { title: 'D' } };
  expect(textsOf('de-CH', texts, [])).toMatchObject({ title: 'D', send: 'B', open: 'Chat öffnen' });
  expect(textsOf('de', texts, [])).toMatchObject({ title: 'C', send: 'B' });
  expect(textsOf('en', texts, [])).toMatchObject({ title: 'A', send: 'B', open: 'Open chat' });
});

test('every language has every text, and the same numbers in it', () => {
  const english = Object.entries(textsOf('en', undefined, []));
  for (const language of ['de', 'fr', 'es', 'ar']) {
    const texts: Record<string, string> = { ...textsOf(language, undefined, []) };
    for (const [name, text] of english) {
      expect(texts[name], `${language} ${name}`).toBeTruthy();
      expect(texts[name]?.includes('{n}'), `${language} ${name}`).toBe(text.includes('{n}'));
    }
  }
});

test('what stands on a colour can be read', () => {
  expect(readableOn('rgb(59, 79, 224)')).toBe('#fff');
  expect(readableOn('rgb(255, 255, 255)')).toBe('#10121c');
  expect(readableOn('color(srgb 0.96 0.7 0)')).toBe('#10121c');
  expect(readableOn('color(srgb 1e-7 0 0)')).toBe('#fff');
  expect(readableOn('rgba(0, 0, 0, 0.5)')).toBeUndefined();
  expect(readableOn('color(srgb 1 1 1 / 0.2)')).toBeUndefined();
  expect(readableOn('')).toBeUndefined();
});
