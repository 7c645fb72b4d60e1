/**
 * The network takes a message to the server and loses the acknowledgement. The conversation store sends it again when the
 * connection is back, and there is one message nevertheless: for workers, for staff and on the page.
 */
import type { Conversation } from '@amoiq/chat-widget';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ADMIN_KEY,
  type Backend,
  startReference,
  startServer,
  TENANT,
} from '../support/backends.ts';
import { TestBrowser } from '../support/browser.ts';
import { type ChatMessage, OfficialClient } from '../support/official-client.ts';
import { OurClient, packageSite } from '../support/our-client.ts';
import { RedisServer } from '../support/redis.ts';
import type { Site } from '../support/site.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const STREAM = 'meta:webhook_jobs';

declare global {
  interface Window {
    conversation: Conversation;
  }
}

let browser: TestBrowser;
let site: Site;

beforeAll(async () => {
  [browser, site] = await Promise.all([TestBrowser.launch(), packageSite('message-retry')]);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

/** A page with a conversation: a visitor's own, or staff's in a session's. */
class ConversationPage {
  readonly client: OurClient;

  private constructor(client: OurClient) {
    this.client = client;
  }

  static async open(server: string, sessionId?: string): Promise<ConversationPage> {
    const client = await OurClient.open(browser, site, {
      server,
      ...(sessionId !== undefined && { key: ADMIN_KEY }),
    });
    await client.page.evaluate(
      ([tenant, session]) => {
        const options = session === undefined ? {} : { sessionId: session };
        window.conversation = window.chat.createConversation(tenant, options);
        window.conversation.subscribe(() => undefined);
      },
      [TENANT, sessionId] as const,
    );
    const opened = new ConversationPage(client);
    await until('the conversation', async () => (await opened.snapshot()).isConnected);
    return opened;
  }

  send(text: string): Promise<string> {
    return this.client.page.evaluate((words) => window.conversation.send(words), text);
  }

  snapshot() {
    return this.client.page.evaluate(() => {
      const { messages, isConnected } = window.conversation.getSnapshot();
      const shown = messages.map(({ text, state, error }) => ({
        text,
        state,
        code: error && error.code,
      }));
      return { messages: shown, isConnected };
    });
  }

  /** Waits until all messages are settled, and resolves with their texts and states. */
  async settled(count: number): Promise<string[]> {
    const messages = await until('what becomes of the messages', async () => {
      const { messages } = await this.snapshot();
      const done = messages.length === count && messages.every(({ state }) => state !== 'pending');
      if (!done) throw new Error(JSON.stringify(messages));
      return messages;
    });
    return messages.map(({ text, state }) => `${text}: ${state}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
  }
}

/** A server, a Redis of its own, and a network before it. */
class Scene {
  readonly redis: RedisServer;
  readonly server: Backend;
  readonly proxy: TcpProxy;
  readonly url: string;

  private constructor(redis: RedisServer, server: Backend, proxy: TcpProxy) {
    this.redis = redis;
    this.server = server;
    this.proxy = proxy;
    this.url = `http://127.0.0.1:${proxy.port}`;
  }

  static async set(start: (env: { REDIS_URL: string }) => Promise<Backend>): Promise<Scene> {
    const redis = await RedisServer.start();
    const server = await start({ REDIS_URL: redis.url });
    return new Scene(redis, server, await TcpProxy.start(Number(new URL(server.url).port)));
  }

  /** The texts of the workers' jobs. */
  async said(): Promise<string[]> {
    const entries = await this.redis.store.xrange(STREAM, '-', '+');
    return entries.map(([, fields]) => (JSON.parse(fields[7] ?? '{}') as { text: string }).text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
  }
}

const ours = (env: { REDIS_URL: string }) => startServer({ env });
const reference = (env: { REDIS_URL: string }) => startReference({ env });

/** The visitor's session, as staff see it. */
const visitorOf = (agent: OfficialClient) =>
  until('the visitor', async () => (await agent.list())[0]?.sessionId);

test("a visitor's message whose acknowledgement is lost is one job and one message", async () => {
  await using scene = await Scene.set(ours);
  const { proxy, url } = scene;
  using agent = await OfficialClient.admin(scene.server.url);
  await using visitor = await ConversationPage.open(url);
  const sessionId = await visitorOf(agent);
  await agent.socket.emitWithAck('join_conversation', { sessionId });

  proxy.swallowAnswers();
  const clientId = await visitor.send('Is it in stock?');
  await visitor.send('The blue one');
  const { message } = await agent.first<{ message: ChatMessage & { clientId?: string } }>(
    'meta_message_created',
  );
  expect(message).toMatchObject({ text: 'Is it in stock?', clientId });
  await until('the receipt', async () => {
    const score = await scene.redis.store.zscore(`{chat:${TENANT}}:receipts`, message.id);
    return score !== null && Number(score) % 2 === 0;
  });
  proxy.cut();
  await until('the loss', async () => !(await visitor.snapshot()).isConnected);
  proxy.mend();

  expect(await visitor.settled(2)).toEqual(['Is it in stock?: delivered', 'The blue one: delivered']);
  expect(await scene.said()).toEqual(['Is it in stock?', 'The blue one']);
  await agent.first<{ message: ChatMessage }>(
    'meta_message_created',
    (created) => created.message.text === 'The blue one',
  );
  expect(agent.all('meta_message_created')).toHaveLength(2);
  const again = await visitorOf(agent);
  const joined: { messages: ChatMessage[] } = await agent.socket.emitWithAck('join_conversation', {
    sessionId: again,
  });
  expect(joined.messages.map(({ text }) => text)).toEqual(['Is it in stock?', 'The blue one']);
  expect(visitor.client.errors).toEqual([]);
});

test("an agent's answer whose acknowledgement is lost is one message on both sides", async () => {
  await using scene = await Scene.set(ours);
  const { proxy, url } = scene;
  using visitor = await OfficialClient.visitor(scene.server.url, 'v1');
  await visitor.send('Is it in stock?');
  await using agent = await ConversationPage.open(url, visitor.id);
  expect(await agent.settled(1)).toEqual(['Is it in stock?: delivered']);

  proxy.swallowAnswers();
  await agent.send('It is');
  const fromAgent = ({ message }: { message: ChatMessage }) => message.sender === 'agent';
  await visitor.first('meta_message_created', fromAgent);
  proxy.cut();
  await until('the loss', async () => !(await agent.snapshot()).isConnected);
  await visitor.send('Hello?');
  proxy.mend();

  // What was said meanwhile is read when the connection is back.
  await until('the question', async () => (await agent.snapshot()).messages.length === 3);
  expect(await agent.settled(3)).toEqual([
    'Is it in stock?: delivered',
    'It is: delivered',
    'Hello?: delivered',
  ]);
  expect(visitor.all<{ message: ChatMessage }>('meta_message_created').filter(fromAgent)).toHaveLength(1);
  expect(await scene.said()).toEqual(['Is it in stock?', 'Hello?']);
});

test('the official server, which knows no names, is not sent a message of unknown fate again', async () => {
  await using scene = await Scene.set(reference);
  const { proxy, url } = scene;
  await using visitor = await ConversationPage.open(url);
  await visitor.send('Hello');
  expect(await visitor.settled(1)).toEqual(['Hello: delivered']);
  // The broadcast says what the server is like; it is there once the message has its server's form.
  await until('the broadcast', () =>
    visitor.client.page.evaluate(() => window.conversation.getSnapshot().messages[0]?.message),
  );

  proxy.swallowAnswers();
  await visitor.send('Is it in stock?');
  await until('the job', async () => (await scene.said()).length === 2);
  proxy.cut();
  await visitor.send('The blue one');
  proxy.mend();
  expect(await visitor.settled(3)).toEqual([
    'Hello: delivered',
    'The blue one: delivered',
    'Is it in stock?: failed',
  ]);
  const { messages } = await visitor.snapshot();
  expect(messages.at(-1)?.code).toBe('DISCONNECTED');
  expect(await scene.said()).toEqual(['Hello', 'Is it in stock?', 'The blue one']);
});
