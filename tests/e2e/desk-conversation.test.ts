/** Conversations at the desk, with our server: staff who speak first, two who see the same, and visitors who leave. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, TENANT } from '../support/backends.ts';
import { type Page, TestBrowser } from '../support/browser.ts';
import { DeskServer } from '../support/desk-server.ts';
import { address, exampleDashboard, rows } from '../support/examples.ts';
import { type ChatMessage, type ClientOptions, OfficialClient } from '../support/official-client.ts';
import type { Site } from '../support/site.ts';
import { inAnHour, jwt, SECRET } from '../support/token.ts';
import { until } from '../support/until.ts';

let browser: TestBrowser;
let desk: Site;

beforeAll(async () => {
  [browser, desk] = await Promise.all([TestBrowser.launch(), exampleDashboard('desk-conversation')]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await desk[Symbol.asyncDispose]();
});

const whole = { viewport: { width: 1440, height: 900 } };
const field = (page: Page) => page.getByRole('textbox', { name: 'Write a message' });
const said = (page: Page, text: string) => page.getByRole('log').getByText(text, { exact: true });
const listed = (page: Page, text: string) =>
  page.getByRole('region', { name: 'Conversations' }).getByRole('button').filter({ hasText: text });
const titled = (page: Page, title: string) => until(title, async () => (await page.title()) === title);

async function write(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press('Enter');
}

test('staff speak first to someone silent, and two of them see the same', async () => {
  await using server = await startServer({ args: ['--offline-grace', '50ms'] });
  using silent = await OfficialClient.visitor(server.url, 'silent', {
    query: { domain: 'shop.example', url: 'https://shop.example/cart' },
  });
  await using one = await browser.open(address(desk, server), whole);
  await using other = await browser.open(address(desk, server), whole);

  await rows(one.page).first().click();
  await one.page.getByText('Nothing has been said yet').waitFor();
  expect(await field(one.page).evaluate((input) => input === document.activeElement)).toBe(true);
  await write(one.page, 'Can I help you?');
  const { message } = await silent.first<{ message: ChatMessage }>('meta_message_created');
  expect(message).toMatchObject({ text: 'Can I help you?', sender: 'agent' });

  // The other one finds it among the conversations. Nobody waits.
  await other.page.getByRole('tab', { name: 'Conversations' }).click();
  await listed(other.page, 'Staff: Can I help you?').click();
  await said(other.page, 'Can I help you?').waitFor();
  await titled(other.page, 'Desk');

  await silent.send('Is this in stock?');
  for (const { page } of [one, other]) {
    await said(page, 'Is this in stock?').waitFor();
    await titled(page, '(1) Desk');
  }
  await listed(other.page, 'Waiting').waitFor();
  await write(other.page, 'It is');
  for (const { page } of [one, other]) {
    await said(page, 'It is').waitFor();
    await titled(page, 'Desk');
  }
  const texts = (page: Page) => page.getByRole('log').locator('.acw-bubble').allInnerTexts();
  expect(await texts(one.page)).toEqual(['Can I help you?', 'Is this in stock?', 'It is']);
  expect(await texts(other.page)).toEqual(await texts(one.page));
  for (const opened of [one, other]) expect(opened.errors).toEqual([]);
});

test('who leaves is said to have left, and what was said stays', async () => {
  await using server = await startServer({ args: ['--offline-grace', '50ms'] });
  using leaving = await OfficialClient.visitor(server.url, 'leaving');
  using _staying = await OfficialClient.visitor(server.url, 'staying');
  await leaving.send('I have to go');
  await using staff = await browser.open(address(desk, server), whole);
  const { page } = staff;
  await rows(page).filter({ hasText: 'leavin' }).click();
  await said(page, 'I have to go').waitFor();
  await field(page).fill('Wait');
  leaving.close();
  await page.getByText('has left the site').waitFor();
  await rows(page).filter({ hasText: 'leavin' }).waitFor({ state: 'detached' });
  expect(await said(page, 'I have to go').count()).toBe(1);

  // What was being written is there again after a look at somebody else.
  await rows(page).filter({ hasText: 'stayin' }).click();
  await page.getByText('has left the site').waitFor({ state: 'detached' });
  expect(await field(page).inputValue()).toBe('');
  await page.getByRole('tab', { name: 'Conversations' }).click();
  await listed(page, 'I have to go').click();
  await page.getByText('has left the site').waitFor();
  expect(await field(page).inputValue()).toBe('Wait');
  expect(staff.errors).toEqual([]);
});

test('what is said while one looks elsewhere is unread, and waits at the end of what one reads', async () => {
  await using server = await startServer();
  using ann = await OfficialClient.visitor(server.url, 'ann-of-old');
  using bob = await OfficialClient.visitor(server.url, 'bob-of-old');
  for (let line = 0; line < 40; line++) await ann.send(`Line ${line}`);
  await bob.send('Hello');
  await using staff = await browser.open(address(desk, server), whole);
  const { page } = staff;
  await page.getByRole('tab', { name: 'Conversations' }).click();
  await listed(page, 'Line 39').click();
  const log = page.getByRole('log');
  await said(page, 'Line 39').waitFor();
  const atEnd = () => log.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight < 2);
  await until('the end of the conversation', atEnd);

  // Less room takes nobody away from there.
  await page.setViewportSize({ width: 1440, height: 500 });
  await until('the end of the conversation', atEnd);
  await page.setViewportSize(whole.viewport);

  await log.evaluate((element) => element.scrollTo(0, 0));
  const news = page.getByRole('button', { name: 'New messages', exact: true });
  await ann.send('And one more');
  await news.waitFor();
  expect(await log.evaluate(({ scrollTop }) => scrollTop)).toBe(0);
  await news.click();
  await until('the end of the conversation', atEnd);
  await news.waitFor({ state: 'detached' });

  await bob.send('Anybody there?');
  await page.locator('[data-unread=true]').filter({ hasText: 'Anybody there?' }).click();
  await said(page, 'Anybody there?').waitFor();
  await page.locator('[data-unread=true]').waitFor({ state: 'detached' });
  expect(staff.errors).toEqual([]);
});

test('whoever reads at the end stays there when there is more than is kept', async () => {
  const { userId, sessionId } = { userId: 'anonymous-talker', sessionId: 's-talker' };
  await using server = await DeskServer.start([{ userId, sessionId, connectedAt: new Date().toISOString() }]);
  for (let line = 0; line < 1000; line++) server.say(sessionId, 'user', `Line ${line}, and so on. `.repeat(6));
  await using staff = await browser.open(address(desk, server), whole);
  const { page } = staff;
  await rows(page).first().click();
  const log = page.getByRole('log');
  await log.getByText('Line 999').waitFor();
  for (const text of ['One more', 'And another']) {
    server.say(sessionId, 'user', text);
    await said(page, text).waitFor();
    await until('the end', () => log.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight < 2));
  }
  expect(await page.getByRole('button', { name: 'New messages', exact: true }).count()).toBe(0);
  expect(staff.errors).toEqual([]);
});

test('whoever closes a conversation goes on where they had opened it', async () => {
  await using server = await startServer();
  using ann = await OfficialClient.visitor(server.url, 'ann-of-old');
  using bob = await OfficialClient.visitor(server.url, 'bob-of-old');
  await ann.send('Hello from Ann');
  await bob.send('Hello from Bob');
  await using staff = await browser.open(address(desk, server), whole);
  const { page } = staff;
  await page.getByRole('tab', { name: 'Conversations' }).click();
  await listed(page, 'Hello from Ann').focus();
  await page.keyboard.press('Enter');
  await field(page).press('Escape');
  await until('the same conversation', () =>
    listed(page, 'Hello from Ann').evaluate((button) => button === document.activeElement),
  );
  expect(staff.errors).toEqual([]);
});

test('who waits is counted as far as the list has been read', async () => {
  const users = Array.from({ length: 60 }, (_, index) => `s${index}`);
  await using server = await DeskServer.start();
  for (const sessionId of users) server.say(sessionId, 'user', 'Anybody there?');
  await using staff = await browser.open(address(desk, server), whole);
  const { page } = staff;
  await titled(page, '(50+) Desk');
  await page.getByRole('tab', { name: 'Conversations' }).click();
  await page.getByRole('button', { name: 'Show more' }).click();
  await titled(page, '(60) Desk');
  expect(staff.errors).toEqual([]);
});

const proven = (sub: string): ClientOptions => ({
  auth: { token: jwt({ sub, tenantId: TENANT, role: 'user', exp: inAnHour() }) },
});
const toldTo = (client: OfficialClient, text: string) =>
  client.first<{ message: ChatMessage }>('meta_message_created', ({ message }) => message.text === text);

test('the conversation goes on with whoever reloads, or closes the tab that was answered', async () => {
  await using server = await startServer({ args: ['--jwt-secret', SECRET] });
  const first = await OfficialClient.visitor(server.url, '', proven('ann'));
  await using staff = await browser.open(address(desk, server), whole);
  const { page } = staff;
  await rows(page).first().click();
  await page.getByText('Nothing has been said yet').waitFor();

  // A session in which nothing was said is unknown once it has ended.
  first.close();
  using second = await OfficialClient.visitor(server.url, '', proven('ann'));
  await write(page, 'Can I help you?');
  await toldTo(second, 'Can I help you?');
  await second.send('Is this in stock?');
  await said(page, 'Is this in stock?').waitFor();
  await write(page, 'It is');
  await toldTo(second, 'It is');

  using third = await OfficialClient.visitor(server.url, '', proven('ann'));
  second.close();
  await write(page, 'In red, too');
  await toldTo(third, 'In red, too');
  await third.send('Thanks');
  await said(page, 'Thanks').waitFor();
  expect(await page.getByRole('log').locator('.acw-bubble').allInnerTexts()).toEqual([
    ...['Can I help you?', 'Is this in stock?', 'It is', 'In red, too', 'Thanks'],
  ]);
  expect(await page.getByText('Not sent').count()).toBe(0);

  // From the list of conversations, too, and after they have left.
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('tab', { name: 'Conversations' }).click();
  await listed(page, 'Thanks').click();
  third.close();
  await page.getByText('has left the site').waitFor();
  await write(page, 'You are welcome');
  await page.locator('[data-state=delivered]').getByText('You are welcome').waitFor();
  using fourth = await OfficialClient.visitor(server.url, '', proven('ann'));
  await page.getByText('has left the site').waitFor({ state: 'detached' });
  await write(page, 'Back again?');
  await toldTo(fourth, 'Back again?');
  expect(staff.errors).toEqual([]);
});

test("an unproven visitor's next session is another conversation, and is not mixed with the first", async () => {
  await using server = await startServer();
  const first = await OfficialClient.visitor(server.url, 'ann');
  await first.send('Is this in stock?');
  await using staff = await browser.open(address(desk, server), whole);
  const { page } = staff;
  await rows(page).first().click();
  await said(page, 'Is this in stock?').waitFor();
  await field(page).fill('For the first');
  first.close();
  using second = await OfficialClient.visitor(server.url, 'ann');
  await second.send('Do you ship abroad?');
  const follow = page.getByRole('button', { name: 'Go there' });
  await follow.waitFor();
  expect(await said(page, 'Do you ship abroad?').count()).toBe(0);
  expect(await field(page).inputValue()).toBe('For the first');
  await page.getByRole('tab', { name: 'Conversations' }).click();
  await page.locator('[aria-current=true]').filter({ hasText: 'Is this in stock?' }).waitFor();

  await follow.click();
  await said(page, 'Do you ship abroad?').waitFor();
  expect(await said(page, 'Is this in stock?').count()).toBe(0);
  await page.locator('[aria-current=true]').filter({ hasText: 'Do you ship abroad?' }).waitFor();
  await write(page, 'We do');
  await toldTo(second, 'We do');
  expect(staff.errors).toEqual([]);
});
