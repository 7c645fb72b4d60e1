/** What axe and a keyboard find in the widget, in each of its states, as it looks and reads in each surrounding. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type axe from 'axe-core';
import { expect, test } from 'vitest';
import type { Page } from '../support/browser.ts';
import { OfficialClient } from '../support/official-client.ts';
import { widgetSite } from '../support/widget-site.ts';
import { widgetStage } from '../support/widget-stage.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Without it a phone shows a page as a large screen would. */
const VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">';
const PHONE = {
  viewport: { width: 390, height: 780 },
  hasTouch: true,
  isMobile: true,
  reducedMotion: 'reduce',
} as const;

const stage = widgetStage('widget-accessibility');

/** What axe has to say against the widget. */
async function found(page: Page): Promise<string[]> {
  // Nothing is judged while it fades in.
  await page.evaluate(() =>
    Promise.all(
      [...document.querySelectorAll('html > div')]
        .flatMap((host) => host.shadowRoot?.getAnimations() ?? [])
        .map(({ finished }) => finished),
    ),
  );
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe: judge } = window as unknown as { axe: typeof axe };
    const host = [...document.querySelectorAll('html > div')].find(({ shadowRoot }) => shadowRoot);
    const { violations, passes } = await judge.run(host as Element);
    if (passes.length === 0) {
      throw new Error('axe has looked at nothing');
    }
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}

const bubble = (page: Page) => page.locator('.bubble');

const SURROUNDINGS = {
  light: {},
  dark: { options: { colorScheme: 'dark' } },
  'right to left': { config: { locale: 'ar', color: '#f4b400' } },
  phone: { options: PHONE },
  'phone, dark, right to left': {
    options: { ...PHONE, colorScheme: 'dark' },
    config: { locale: 'ar' },
  },
  'more contrast': { options: { contrast: 'more' } },
  'forced colours': { options: { forcedColors: 'active' } },
} as const satisfies Record<string, { options?: object; config?: object }>;

for (const [name, surrounding] of Object.entries(SURROUNDINGS)) {
  const { options = {}, config = {} }: { options?: object; config?: Record<string, unknown> } =
    surrounding;

  test(`axe finds nothing: ${name}`, async () => {
    await using site = await widgetSite(stage.files, { server: stage.server.url, config, head: VIEWPORT });
    using agent = await OfficialClient.admin(stage.server.url);
    await using opened = await stage.browser.open(`${site.url}/shop`, options);
    const { page } = opened;
    const { sessionId } = await agent.first<{ sessionId: string; origin?: string }>(
      'user_online',
      ({ origin }) => origin === site.url,
    );
    expect(await found(page)).toEqual([]);

    await agent.send('Hello', { sessionId });
    await page.locator('.read').waitFor();
    expect(await found(page)).toEqual([]);

    await bubble(page).click();
    const input = page.getByRole('textbox');
    await input.fill('Is it in stock? https://shop.example');
    await input.press('Enter');
    await page.locator('.own.delivered').waitFor();
    expect(await found(page)).toEqual([]);

    await input.fill('x'.repeat(4010));
    expect(await found(page)).toEqual([]);
    expect(opened.errors).toEqual([]);
  });

  test(`axe finds nothing where the chat is refused: ${name}`, async () => {
    const refused = { server: stage.server.url, tenantId: 'nobody', config, head: VIEWPORT };
    await using site = await widgetSite(stage.files, refused);
    await using opened = await stage.browser.open(`${site.url}/shop`, options);
    const { page } = opened;
    await bubble(page).click();
    await page.getByRole('textbox').fill('Hello?');
    await page.getByRole('textbox').press('Enter');
    await page.locator('.failed').waitFor();
    await page.locator('.notice:not(:empty)').waitFor();
    expect(await found(page)).toEqual([]);
  });
}

test('a keyboard opens, writes, and is back where it was', async () => {
  await using site = await widgetSite(stage.files, { server: stage.server.url });
  await using opened = await stage.browser.open(`${site.url}/shop`);
  const { page } = opened;
  await page.getByRole('button', { name: 'Open chat' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.type('One');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('two');
  expect(await page.getByRole('textbox').inputValue()).toBe('One\ntwo');
  await page.keyboard.press('Enter');
  await page.locator('.own.delivered').waitFor();
  expect(await page.getByRole('dialog', { name: 'Chat with us' }).isVisible()).toBe(true);
  await page.keyboard.press('Escape');
  expect(await page.getByRole('dialog').isVisible()).toBe(false);
  expect(
    await page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.className),
  ).toBe('bubble');
});

test('on a phone nothing behind the panel is reached, and the page is where it was', async () => {
  const tall = `${VIEWPORT}<style>body { height: 4000px }</style>`;
  await using site = await widgetSite(stage.files, { server: stage.server.url, head: tall });
  await using opened = await stage.browser.open(`${site.url}/shop`, PHONE);
  const { page } = opened;
  await bubble(page).waitFor();
  await page.evaluate(() => {
    document.body.setAttribute('style', 'top: 3px !important; color: red;');
    window.scrollTo(0, 1234);
  });
  const before = await page.evaluate(() => document.body.getAttribute('style'));
  await bubble(page).click();
  const dialog = page.getByRole('dialog');
  expect(await dialog.boundingBox()).toEqual({ x: 0, y: 0, width: 390, height: 780 });
  expect(await bubble(page).isVisible()).toBe(false);
  expect(await page.evaluate(() => getComputedStyle(document.body).position)).toBe('fixed');
  for (let press = 0; press < 12; press += 1) {
    await page.keyboard.press('Tab');
    const where = await page.evaluate(() => document.activeElement?.tagName);
    expect(['DIV', 'BODY']).toContain(where);
  }
  const size = await page.getByRole('textbox').evaluate((input) => getComputedStyle(input).fontSize);
  expect(parseFloat(size)).toBeGreaterThanOrEqual(16);
  await page.getByRole('button', { name: 'Close chat' }).click();
  expect(await page.evaluate(() => window.scrollY)).toBe(1234);
  expect(await page.evaluate(() => document.body.getAttribute('style'))).toBe(before);
  expect(await page.evaluate(() => document.documentElement.getAttribute('style'))).toBeNull();
});

test('everything that a finger hits is large enough', async () => {
  await using site = await widgetSite(stage.files, { server: stage.server.url, head: VIEWPORT });
  using agent = await OfficialClient.admin(stage.server.url);
  await using opened = await stage.browser.open(`${site.url}/shop`, PHONE);
  const { page } = opened;
  const { sessionId } = await agent.first<{ sessionId: string; origin?: string }>(
    'user_online',
    ({ origin }) => origin === site.url,
  );
  await agent.send('Hello', { sessionId });
  await page.locator('.read').waitFor();
  const small = () =>
    page.locator('button:visible, textarea:visible').evaluateAll((elements) =>
      elements
        .map((element) => ({ name: element.className, box: element.getBoundingClientRect() }))
        .filter(({ box }) => box.width < 44 || box.height < 44)
        .map(({ name, box }) => `${name} ${box.width}x${box.height}`),
    );
  expect(await small()).toEqual([]);
  await bubble(page).click();
  expect(await small()).toEqual([]);
});

test('a long word in a text of the page\'s breaks', async () => {
  const title = 'Donaudampfschifffahrtsgesellschaft '.repeat(3);
  await using site = await widgetSite(stage.files, {
    server: stage.server.url,
    config: { texts: { title, greeting: title.replaceAll(' ', ''), online: title } },
  });
  await using opened = await stage.browser.open(`${site.url}/shop`, { viewport: { width: 320, height: 640 } });
  const { page } = opened;
  await bubble(page).click();
  await page.locator('.status', { hasText: title.trim() }).waitFor();
  const wide = await page.locator('.panel, .panel :visible').evaluateAll((parts) =>
    parts
      .filter(({ scrollWidth, clientWidth }) => clientWidth > 1 && scrollWidth > clientWidth)
      .map(({ outerHTML }) => outerHTML),
  );
  expect(wide).toEqual([]);
});

test('with the text twice as large in the browser, everything is in its place in a small window', async () => {
  await using site = await widgetSite(stage.files, { server: stage.server.url });
  await using opened = await stage.browser.open('about:blank', { viewport: { width: 640, height: 430 } });
  const { page } = opened;
  const developer = await page.context().newCDPSession(page);
  await developer.send('Page.setFontSizes', { fontSizes: { standard: 32 } });
  await page.goto(`${site.url}/shop`);
  await bubble(page).click();
  const input = page.getByRole('textbox');
  await input.fill('line\n'.repeat(20));
  expect(await input.evaluate((element) => parseFloat(getComputedStyle(element).fontSize))).toBe(30);
  for (const part of [page.getByRole('heading', { name: 'Chat with us' }), page.locator('.status'), input, page.locator('.send')]) {
    const box = await part.boundingBox();
    expect(box && box.y >= 0 && box.y + box.height <= 430, JSON.stringify(box)).toBe(true);
  }
  expect((await page.locator('.log').boundingBox())?.height).toBeGreaterThan(60);
});
