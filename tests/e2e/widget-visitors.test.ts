/** What one visitor of the widget leaves to the next, and what stays theirs as they say who they are. */
import { expect, test } from 'vitest';
import type { Page } from '../support/browser.ts';
import { inAnHour, jwt, SECRET } from '../support/token.ts';
import { widgetSite } from '../support/widget-site.ts';
import { widgetStage } from '../support/widget-stage.ts';

const stage = widgetStage('widget-visitors', { args: ['--jwt-secret', SECRET] });

const command = (page: Page, ...words: unknown[]) =>
  page.evaluate((words) => {
    (window as unknown as { ChatWidget: { push(command: unknown): void } }).ChatWidget.push(words);
  }, words);

const kept = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [localStorage, sessionStorage].flatMap((storage) => Object.entries(storage).map((entry) => entry.join(' '))),
  );

const tokenFor = (sub: string) => jwt({ sub, tenantId: 'demo', role: 'user', exp: inAnHour() });

async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox').fill(text);
  await page.getByRole('textbox').press('Enter');
  await page.locator('.own', { hasText: text }).waitFor();
}

test('what has not been sent is forgotten by a shutdown, and what has been said is not', async () => {
  await using shop = await widgetSite(stage.files, { server: stage.server.url });
  await using opened = await stage.browser.open(`${shop.url}/shop`);
  const { page } = opened;
  await page.locator('.bubble').click();
  await write(page, 'Arrived');
  await page.locator('.own.delivered').waitFor();
  await page.context().setOffline(true);
  await page.getByText('Reconnecting…').waitFor();
  await write(page, 'Still waiting');
  await page.getByRole('textbox').fill('Half a sen');
  expect((await kept(page)).join('\n')).toMatch(/Still waiting[^]*Half a sen|Half a sen[^]*Still waiting/);

  await command(page, 'shutdown');
  expect((await kept(page)).join('\n')).not.toMatch(/Still waiting|Half a sen/);
  await page.context().setOffline(false);
  await command(page, 'boot');
  await command(page, 'open');
  await write(page, 'Hello');
  await page.locator('.own.delivered', { hasText: 'Hello' }).waitFor();
  expect(await page.locator('.own .text').allTextContents()).toEqual(['Arrived', 'Hello']);
  expect(await page.getByRole('textbox').inputValue()).toBe('');
  expect(opened.errors).toEqual([]);
});

test('what a visitor has begun to write stays theirs as they say who they are, and goes as they leave', async () => {
  await using shop = await widgetSite(stage.files, { server: stage.server.url });
  await using opened = await stage.browser.open(`${shop.url}/shop`);
  const { page } = opened;
  await page.locator('.bubble').click();
  await page.getByText('Online').waitFor();
  const box = page.getByRole('textbox');
  await box.fill('Half a sen');
  await command(page, 'identify', { token: tokenFor('bea') });
  expect(await box.inputValue()).toBe('Half a sen');
  await command(page, 'identify', null);
  expect(await box.inputValue()).toBe('');
  expect((await kept(page)).join('\n')).not.toContain('Half a sen');
  expect(opened.errors).toEqual([]);
});
