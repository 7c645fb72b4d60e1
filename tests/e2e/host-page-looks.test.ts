/** Pages whose styles, keys and scripts reach for everything in the document: the widget keeps its looks, and they keep their keys. */
import { expect, test } from 'vitest';
import type { Page } from '../support/browser.ts';
import {
  bubble,
  converse,
  hostSite,
  inCorner,
  openHost,
  script,
  troubleOf,
  visitorOf,
} from '../support/host-page.ts';
import { OfficialClient } from '../support/official-client.ts';
import { until } from '../support/until.ts';
import { widgetStage } from '../support/widget-stage.ts';

const stage = widgetStage('host-page-looks');

const panel = (page: Page) => page.getByRole('dialog');

/** What of the widget a visitor sees: of each part, its box and the looks that hostile styles would change. */
async function looks(page: Page): Promise<unknown> {
  const part = (place: ReturnType<typeof bubble>) =>
    place.evaluate((element) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      const { color, backgroundColor, fontSize, fontFamily, letterSpacing, textTransform, visibility, opacity } =
        getComputedStyle(element);
      return {
        ...{ x, y, width, height, color, backgroundColor, fontSize, fontFamily, letterSpacing },
        ...{ textTransform, visibility, opacity },
      };
    });
  await panel(page).waitFor();
  // Where it has come to rest.
  await panel(page).evaluate(async (element) => {
    await Promise.all(element.getAnimations({ subtree: true }).map(({ finished }) => finished));
  });
  return {
    button: await part(page.getByRole('button', { name: 'Close chat' })),
    panel: await part(panel(page)),
    input: await part(page.getByRole('textbox')),
  };
}

const STYLES: Readonly<Record<string, string>> = {
  'everything is reset': '* { all: unset !important; display: block !important }',
  'boxes are hidden': 'div, section, aside, body > :not(h1) { display: none !important }',
  'boxes are laid out': 'body > * { position: static !important; transform: none !important; float: left !important; width: 100% !important; margin: 3em !important; inset: auto !important; z-index: 0 !important }',
  'texts are set': 'html { font-size: 4px } * { font: 40px/3 serif !important; letter-spacing: 9px !important; text-transform: uppercase !important; color: lime !important; direction: rtl !important; text-align: right !important }',
  'everything fades': ':not(:root) { opacity: .01 !important; visibility: hidden !important; pointer-events: none !important; filter: blur(9px) !important; clip-path: circle(0) !important }',
  'properties are taken': '* { --accent: red !important; --surface: red !important; --text: red !important; --line: red !important; --muted: red !important }',
};

for (const [what, style] of Object.entries(STYLES)) {
  test(`styles of the page: ${what}`, async () => {
    await using plain = await hostSite(stage.files, stage.server.url);
    await using styled = await hostSite(stage.files, stage.server.url, { before: `<style>${style}</style>` });
    using agent = await OfficialClient.admin(stage.server.url);
    await using usual = await openHost(stage.browser, `${plain.url}/shop`);
    await using opened = await openHost(stage.browser, `${styled.url}/shop`);
    for (const { page } of [usual, opened]) {
      await inCorner(page, 'right');
      await bubble(page).click();
    }
    expect(await looks(opened.page)).toEqual(await looks(usual.page));
    await converse(opened.page, agent, await visitorOf(agent, `${styled.url}/shop`));
    expect(opened.errors).toEqual([]);
  });
}

test('the widget stands over whatever the page puts on top', async () => {
  const cover = '<div style="position: fixed; inset: 0; z-index: 2147483000; background: white">Cookies?</div>';
  await using site = await hostSite(stage.files, stage.server.url, { body: cover });
  await using opened = await openHost(stage.browser, `${site.url}/shop`);
  await bubble(opened.page).click({ trial: true });
  expect(opened.errors).toEqual([]);
});

test("the page's shortcuts are not for what is written here", async () => {
  const shortcuts = `
    window.keys = [];
    for (const place of [window, document, document.documentElement])
      for (const kind of ['keydown', 'keypress', 'keyup'])
        place.addEventListener(kind, ({ type, key }) => keys.push(type + ' ' + key));`;
  await using site = await hostSite(stage.files, stage.server.url, { before: script(shortcuts) });
  await using opened = await openHost(stage.browser, `${site.url}/shop`);
  const { page } = opened;
  const keys = () => page.evaluate(() => (window as unknown as { keys: string[] }).keys);
  await page.keyboard.press('s');
  expect(await keys()).toContain('keydown s');
  const before = (await keys()).length;
  await bubble(page).click();
  await page.getByRole('textbox').pressSequentially('search / ? gg');
  await page.getByRole('textbox').press('Enter');
  await page.getByRole('textbox').press('Escape');
  await panel(page).waitFor({ state: 'hidden' });
  expect((await keys()).slice(before)).toEqual([]);
  expect(opened.errors).toEqual([]);
});

test('a page that scrolls in its own way and guards its texts does not do so in here', async () => {
  const guards = `
    for (const type of ['wheel', 'touchmove', 'copy', 'cut', 'paste', 'contextmenu', 'selectstart'])
      document.addEventListener(type, (event) => event.preventDefault(), { passive: false });`;
  await using site = await hostSite(stage.files, stage.server.url, { before: script(guards) });
  await using opened = await openHost(stage.browser, `${site.url}/shop`, {
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const { page } = opened;
  await bubble(page).click();
  const input = page.getByRole('textbox');
  await input.fill('To be moved');
  await input.press('Control+A');
  await input.press('Control+X');
  await input.press('Control+V');
  await input.press('Control+V');
  expect(await input.inputValue()).toBe('To be movedTo be moved');
  await input.fill('line\n'.repeat(60));
  await input.press('Enter');
  const log = page.getByRole('log');
  const top = () => log.evaluate(({ scrollTop }) => scrollTop);
  await until('something to scroll', async () => (await top()) > 0);
  await log.hover();
  await page.mouse.wheel(0, -5000);
  await until('the start of it', async () => (await top()) === 0);
  expect(opened.errors).toEqual([]);
});

for (const [what, replace] of Object.entries({
  "the body's content is replaced": () => {
    document.body.innerHTML = '<h1>Another page</h1>';
  },
  'the body is replaced': () => {
    const body = document.createElement('body');
    body.innerHTML = '<h1>Another page</h1>';
    document.body.replaceWith(body);
  },
})) {
  test(`${what}, and the conversation goes on`, async () => {
    await using site = await hostSite(stage.files, stage.server.url);
    using agent = await OfficialClient.admin(stage.server.url);
    await using opened = await openHost(stage.browser, `${site.url}/shop`);
    const { page } = opened;
    const visitor = await visitorOf(agent, `${site.url}/shop`);
    await converse(page, agent, visitor);
    await page.evaluate(replace);
    await page.getByRole('heading', { name: 'Another page' }).waitFor();
    await agent.send('Still there?', { sessionId: visitor.sessionId });
    await until('the widget again', async () => {
      if ((await bubble(page).count()) > 0) await bubble(page).click();
      return page.getByText('Still there?').isVisible();
    });
    expect(await page.getByRole('button', { name: /(Open|Close) chat/ }).count()).toBe(1);
    expect(await troubleOf(page)).toMatchObject({ uncaught: [], shifts: 0 });
  });
}

test('a page that comes while the chat fills a phone is found at its top', async () => {
  const long = '<h1>Bags</h1><p style="height: 3000px">Long ways</p>';
  await using site = await hostSite(stage.files, stage.server.url, {
    before: '<meta name="viewport" content="width=device-width">',
    body: long,
  });
  const phone = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true };
  await using opened = await openHost(stage.browser, `${site.url}/shop`, phone);
  const { page } = opened;
  await page.evaluate(() => scrollTo(0, 900));
  await bubble(page).click();
  await panel(page).waitFor();
  await page.evaluate((text) => {
    const body = document.createElement('body');
    body.innerHTML = text;
    document.body.replaceWith(body);
    scrollTo(0, 0);
  }, long);
  await page.getByRole('button', { name: 'Close chat' }).click();
  await panel(page).waitFor({ state: 'hidden' });
  expect(await page.evaluate(() => scrollY)).toBe(0);
  expect(await page.evaluate(() => document.documentElement.getAttribute('style'))).toBeNull();
  expect(opened.errors).toEqual([]);
});

test('it comes late, and nothing moves', async () => {
  await using site = await hostSite(stage.files, stage.server.url, {
    body: '<h1>Bags</h1><p>Canvas</p><p style="height: 2000px">Long ways</p>',
  });
  await using opened = await openHost(stage.browser, `${site.url}/shop`);
  await bubble(opened.page).waitFor();
  await inCorner(opened.page, 'right');
  // No scroll bar that was not there.
  const { scroll, client } = await opened.page.evaluate(() => {
    const { scrollWidth: scroll, clientWidth: client } = document.documentElement;
    return { scroll, client };
  });
  expect(scroll).toBe(client);
  expect(await troubleOf(opened.page)).toEqual({ uncaught: [], refused: [], shifts: 0 });
});
