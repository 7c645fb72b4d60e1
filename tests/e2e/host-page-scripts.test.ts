/** Pages whose own scripts change what every other script works with, or take it away. */
import { expect, test } from 'vitest';
import {
  bubble,
  comings,
  converse,
  hostSite,
  openHost,
  script,
  troubleOf,
  visitorOf,
  worksUntroubled,
} from '../support/host-page.ts';
import { OfficialClient } from '../support/official-client.ts';
import { until } from '../support/until.ts';
import { widgetStage } from '../support/widget-stage.ts';

const stage = widgetStage('host-page-scripts');

/** What the page does before the widget runs. */
const PAGES: Readonly<Record<string, string>> = {
  'objects have one more property that shows': `
    Object.prototype.isBag = function () { return false };
    Object.prototype.price = 0;`,
  'lists have methods that show': `
    Array.prototype.contains = function (one) { return this.indexOf(one) >= 0 };
    Array.prototype.last = null;`,
  'lists write themselves as JSON in the way of old libraries': `
    Array.prototype.toJSON = function () { return '[' + this.join(', ') + ']' };`,
  'Array.from takes nothing but a list': `
    Array.from = function (list) { const made = []; for (let at = 0; at < list.length; at++) made[at] = list[at]; return made };`,
  'promises are those of a library': `
    window.Promise = class extends Promise { tap(done) { return this.then((value) => (done(value), value)) } };`,
  'requests are wrapped by who measures them': `
    const ask = window.fetch;
    window.fetch = async (...request) => { const answer = await ask(...request); return answer };`,
  'there are no requests': 'delete window.fetch;',
  'requests throw': `window.fetch = () => { throw new Error('not here') };`,
  'there are no workers and no broadcasts': 'delete window.Worker; delete window.BroadcastChannel;',
  'there are no sockets': 'delete window.WebSocket;',
  'sockets throw': `window.WebSocket = class { constructor() { throw new Error('not here') } };`,
  'there is no crypto.randomUUID': 'delete Crypto.prototype.randomUUID;',
  'there are no idle callbacks and no locks': `
    delete window.requestIdleCallback;
    Object.defineProperty(navigator, 'locks', { value: undefined });`,
  'storage is full': `Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') };`,
  'the console is a stub, and the page says something wrong': `
    window.console = { log() {} };
    window.ChatWidget = [['opne']];`,
  'names that a widget might use are taken': `
    Object.assign(window, { chat: 1, core: 2, widget: 3, io: 4, wasm: 5, process: 6, global: 7, Buffer: 8, require: 9 });`,
};

for (const [what, text] of Object.entries(PAGES)) {
  test(what, () => worksUntroubled(stage, { before: script(text) }));
}

test('a page in quirks mode, with a base that leads elsewhere', () =>
  worksUntroubled(stage, {
    doctype: '',
    // Behind the tag, as nothing before it is to be loaded from there.
    after: '<base href="https://elsewhere.example/">',
  }));

test('loaders of modules are left alone', async () => {
  const loaders = `
    window.defined = [];
    window.define = (...what) => defined.push(what);
    define.amd = {};
    window.module = { exports: {} };
    window.exports = module.exports;`;
  await using site = await hostSite(stage.files, stage.server.url, { before: script(loaders) });
  using agent = await OfficialClient.admin(stage.server.url);
  await using opened = await openHost(stage.browser, `${site.url}/shop`);
  await converse(opened.page, agent, await visitorOf(agent, `${site.url}/shop`));
  const touched = await opened.page.evaluate(() => {
    const page = window as unknown as { defined: unknown[]; module: { exports: object } };
    return [page.defined.length, Object.keys(page.module.exports).length];
  });
  expect(touched).toEqual([0, 0]);
  expect(opened.errors).toEqual([]);
});

test('nothing is left in the page but what is written down', async () => {
  await using site = await hostSite(stage.files, stage.server.url, {
    before: script('window.before = new Set(Object.keys(window))'),
  });
  using agent = await OfficialClient.admin(stage.server.url);
  await using opened = await openHost(stage.browser, `${site.url}/shop`);
  await converse(opened.page, agent, await visitorOf(agent, `${site.url}/shop`));
  const added = await opened.page.evaluate(() => {
    const { before } = window as unknown as { before: Set<string> };
    return Object.keys(window).filter((name) => name !== 'before' && !before.has(name));
  });
  expect(added.filter((name) => name !== 'ChatWidget')).toEqual(['ChatWidgetConfig']);
  expect(opened.errors).toEqual([]);
});

test('included three times it is one widget and one connection', async () => {
  await using site = await hostSite(stage.files, stage.server.url, { times: 3 });
  using agent = await OfficialClient.admin(stage.server.url);
  const url = `${site.url}/shop`;
  await using opened = await openHost(stage.browser, url);
  const visitor = await visitorOf(agent, url);
  await converse(opened.page, agent, visitor);
  expect(await opened.page.getByRole('button', { name: /chat/ }).count()).toBe(1);
  // A second connection would have been made by the time a later page has made its own.
  await using later = await openHost(stage.browser, url);
  await bubble(later.page).waitFor();
  await until('both visitors', async () => (await agent.list()).length === 2);
  const sessions = comings(agent, url).filter(({ userId }) => userId === visitor.userId);
  expect(new Set(sessions.map(({ sessionId }) => sessionId)).size).toBe(1);
  expect([...opened.errors, ...later.errors]).toEqual([]);
});

test('whoever wraps the history hears of each step once', async () => {
  const wrapper = `
    window.steps = [];
    for (const name of ['pushState', 'replaceState']) {
      const step = history[name];
      history[name] = function (...to) { steps.push([name, to[2], this === history]); return step.apply(this, to) };
    }`;
  await using site = await hostSite(stage.files, stage.server.url, { before: script(wrapper) });
  using agent = await OfficialClient.admin(stage.server.url);
  await using opened = await openHost(stage.browser, `${site.url}/shop`);
  const visitor = await visitorOf(agent, `${site.url}/shop`);
  const { page } = opened;
  await page.evaluate((text) => {
    history.pushState({ at: 1 }, '', '/shop?step=1');
    // One more who wraps, behind the widget's back, as tags that are loaded late do.
    new Function(text.replace('window.steps = [];', ''))();
    history.pushState({ at: 2 }, '', '/shop?step=2');
    history.replaceState({ at: 3 }, '', '/shop?step=3');
  }, wrapper);
  await converse(page, agent, visitor);
  const { steps, state } = await page.evaluate(() => ({
    steps: (window as unknown as { steps: unknown[] }).steps,
    state: history.state as unknown,
  }));
  expect(steps).toEqual([
    ['pushState', '/shop?step=1', true],
    ['pushState', '/shop?step=2', true],
    ['pushState', '/shop?step=2', true],
    ['replaceState', '/shop?step=3', true],
    ['replaceState', '/shop?step=3', true],
  ]);
  expect(state).toEqual({ at: 3 });
  expect(await troubleOf(page)).toMatchObject({ uncaught: [], shifts: 0 });
});

test('a frame that may keep nothing and has no origin', async () => {
  await using site = await hostSite(stage.files, stage.server.url);
  const outside = `<iframe sandbox="allow-scripts" src="/shop" style="width: 600px; height: 700px"></iframe>`;
  await using shell = await hostSite(stage.files, stage.server.url, {
    times: 0,
    body: outside.replace('/shop', `${site.url}/shop`),
  });
  using agent = await OfficialClient.admin(stage.server.url);
  await using opened = await openHost(stage.browser, `${shell.url}/shop`);
  const frame = opened.page.frameLocator('iframe');
  await converse(frame, agent, await visitorOf(agent, `${site.url}/shop`));
  expect(opened.errors).toEqual([]);
});
