// @vitest-environment happy-dom
/** `useOnlineUsers` in Vue: mounted, changed, unmounted, rendered on a server. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createApp, createSSRApp, effectScope, h, nextTick, ref, type App, type Ref } from 'vue';
import { renderToString } from 'vue/server-renderer';
import { configure } from '../lib/index.js';
import { useOnlineUsers, useSnapshot } from '../lib/vue.js';
import { ann, appears, bob, core, fresh, settled } from './support.js';

const apps: App[] = [];

beforeEach(() => {
  fresh();
  configure({ gatewayUrl: 'https://api.example', apiKey: 'key' });
});

afterEach(async () => {
  for (const app of apps.splice(0)) {
    app.unmount();
  }
  await settled();
});

const feed = (at = 0) => appears(() => core.feeds[at]);

/** A component that shows who is online in the tenant. */
const list = (tenant: Ref<string | null>) => ({
  setup() {
    const { onlineUsers, isLoading, isConnected, error } = useOnlineUsers(tenant);
    return () =>
      h('p', [
        isLoading.value ? 'loading' : onlineUsers.value.map(({ userId }) => userId).join(),
        isConnected.value ? ' live' : '',
        error.value ? ` ${error.value.code}` : '',
      ]);
  },
});

function mounted(tenant: Ref<string | null>): { app: App; text: () => string | null } {
  const root = document.createElement('div');
  const app = createApp(list(tenant));
  app.mount(root);
  apps.push(app);
  return { app, text: () => root.textContent };
}

test('a component shows what the store says, and its end ends the work', async () => {
  const { app, text } = mounted(ref('42'));
  expect(text()).toBe('loading');
  const made = await feed();
  made.become({ users: [ann, bob], isLoading: false, status: 'live' });
  await nextTick();
  expect(text()).toBe('ann,bob live');
  app.unmount();
  apps.length = 0;
  await settled();
  expect(made.closed).toBe(true);
});

test('another tenant is another list; none is none', async () => {
  const tenant = ref<string | null>(null);
  const { text } = mounted(tenant);
  await settled();
  expect(text()).toBe('');
  expect(core.feeds).toEqual([]);

  tenant.value = '42';
  const first = await feed();
  first.become({ users: [ann], isLoading: false });
  await nextTick();
  expect(text()).toBe('ann');

  tenant.value = '43';
  await nextTick();
  expect(text()).toBe('loading');
  const second = await feed(1);
  expect(second.config.tenantId).toBe('43');
  await settled();
  expect(first.closed).toBe(true);
});

test('a scope without a component will do; changed options begin anew', async () => {
  const scope = effectScope();
  const enableWebSocket = ref(true);
  const { refresh } = scope.run(() =>
    useOnlineUsers('42', () => ({ enableWebSocket: enableWebSocket.value })),
  ) ?? { refresh: () => Promise.reject(new Error('the scope did not run')) };
  const first = await feed();
  expect(first.socket).toBe(true);
  await refresh();
  expect(first.refreshes).toBe(1);
  enableWebSocket.value = false;
  const second = await feed(1);
  expect(second.socket).toBe(false);
  scope.stop();
  await settled();
  expect([first.closed, second.closed]).toEqual([true, true]);
});

test('a server renders the beginning, and follows nothing', async () => {
  const subscribe = vi.fn(() => () => {});
  const fixed = { subscribe, getSnapshot: () => 'as it is' };
  const page = {
    setup() {
      const text = useSnapshot(fixed);
      return () => [h(list(ref('42'))), h('p', text.value)];
    },
  };
  vi.stubGlobal('window', undefined);
  const html = await renderToString(createSSRApp(page));
  expect(html.replaceAll(/<!--.*?-->/g, '')).toBe('<p>loading</p><p>as it is</p>');
  await settled();
  expect(subscribe).not.toHaveBeenCalled();
  expect(core.feeds).toEqual([]);
});
