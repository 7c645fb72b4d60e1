/**
 * The wire's golden documents, which the Rust side writes and reads, against the public types: the
 * imports are checked by the compiler, the names of the files and the values here.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import aiEvent from '../../protocol/fixtures/ai_event_created.json' with { type: 'json' };
import updated from '../../protocol/fixtures/conversation_updated.json' with { type: 'json' };
import conversations from '../../protocol/fixtures/conversations.json' with { type: 'json' };
import history from '../../protocol/fixtures/join_conversation_ack.json' with { type: 'json' };
import body from '../../protocol/fixtures/message.json' with { type: 'json' };
import receipt from '../../protocol/fixtures/message_ack.json' with { type: 'json' };
import refusal from '../../protocol/fixtures/message_refused.json' with { type: 'json' };
import retry from '../../protocol/fixtures/message_retry.json' with { type: 'json' };
import reply from '../../protocol/fixtures/message_reply.json' with { type: 'json' };
import message from '../../protocol/fixtures/meta_message_created.json' with { type: 'json' };
import named from '../../protocol/fixtures/meta_message_created_named.json' with { type: 'json' };
import list from '../../protocol/fixtures/online_users_list.json' with { type: 'json' };
import asked from '../../protocol/fixtures/get_online_users_versioned.json' with { type: 'json' };
import versioned from '../../protocol/fixtures/online_users_list_versioned.json' with { type: 'json' };
import delta from '../../protocol/fixtures/presence_delta.json' with { type: 'json' };
import offline from '../../protocol/fixtures/user_offline.json' with { type: 'json' };
import online from '../../protocol/fixtures/user_online.json' with { type: 'json' };
import minutes from '../../protocol/fixtures/online_history.json' with { type: 'json' };
import visiting from '../../protocol/fixtures/user_online_visit.json' with { type: 'json' };
import issued from '../../protocol/fixtures/visitor_token.json' with { type: 'json' };
import { keepToken, messageBody, visitorToken } from '../lib/page.js';
import type {
  ChatErrorCode,
  ChatMessage,
  MessageReceipt,
  OnlineUser,
  WebSocketCallbacks,
} from '../lib/index.js';

/** JSON imports have widened strings; the one union of the message is checked by value. */
type Json<T> = { [K in keyof T]: T[K] extends string ? string : T[K] };

/** A state of a tenant's list, as those know it who asked for versions. */
type Cursor = { epoch: number; version: number };

const versions: {
  asked: Cursor & { tenantId: string };
  list: Cursor & { users: OnlineUser[] };
  delta: Cursor & { since: Cursor; online: OnlineUser[]; offline: string[] };
} = { asked, list: versioned, delta };

/** How many were online, minute by minute. */
const counted: {
  interval: number;
  samples: { at: string; online: number | null; peak: number | null }[];
} = minutes;

const shapes: {
  online: OnlineUser;
  visiting: OnlineUser;
  offline: { userId: Parameters<NonNullable<WebSocketCallbacks['onUserOffline']>>[0] };
  list: { users: OnlineUser[] };
  messages: Json<ChatMessage>[];
  receipt: MessageReceipt;
  refusal: { error: string; code: ChatErrorCode };
} = {
  online,
  visiting,
  offline,
  list,
  messages: [message.message, named.message, aiEvent.message, ...history.messages],
  receipt,
  refusal,
};

test('a row has the fields that the type names, and no other', () => {
  const named: Record<keyof OnlineUser, true> = {
    userId: true,
    sessionId: true,
    connectedAt: true,
    domain: true,
    origin: true,
    url: true,
    title: true,
    referrer: true,
    firstPage: true,
    startedAt: true,
    visits: true,
    idleSince: true,
    tabs: true,
  };
  expect(Object.keys(shapes.visiting).sort()).toEqual(Object.keys(named).sort());
  expect(shapes.visiting).toMatchObject(shapes.online);
  for (const user of shapes.list.users) {
    expect(Object.keys(named)).toEqual(expect.arrayContaining(Object.keys(user)));
  }
});

test('a list is the same with a version, and a delta leads from one version to the next', () => {
  const { epoch, version, ...plain } = versions.list;
  expect(plain).toEqual(shapes.list);
  const { asked, delta } = versions;
  expect(delta.since).toEqual({ epoch, version });
  expect([asked.epoch, delta.epoch]).toEqual([epoch, epoch]);
  expect(delta.version).toBeGreaterThan(delta.since.version);
  expect(delta.online).toEqual([shapes.online]);
  expect(shapes.list.users.map(({ userId }) => userId)).toEqual(expect.arrayContaining(delta.offline));
});

test('minutes follow each other, and none has more at its end than at its peak', () => {
  const begins = counted.samples.map(({ at }) => Date.parse(at));
  expect(begins).toEqual(begins.map((_, index) => (begins[0] ?? NaN) + index * counted.interval));
  for (const { online, peak } of counted.samples) {
    expect(online === null).toBe(peak === null);
    expect(online ?? 0).toBeLessThanOrEqual(peak ?? 0);
  }
});

test('messages come from one of the three senders', () => {
  for (const { sender } of shapes.messages) {
    expect(['user', 'agent', 'bot'] satisfies ChatMessage['sender'][]).toContain(sender);
  }
});

test('what the facade sends is what the wire expects', () => {
  const website = { siteId: 7, domain: body.domain };
  expect(messageBody(body.text, website, {})).toEqual(body);
  expect(messageBody(reply.text, undefined, { sessionId: reply.sessionId })).toEqual(reply);
  const { text, ...options } = retry;
  expect(JSON.parse(JSON.stringify(messageBody(text, undefined, options)))).toEqual(retry);
});

test('the token of an issued document is what is kept', () => {
  keepToken('7', issued);
  expect(visitorToken('7')).toBe(issued.token);
});

test('a conversation in the list is as its event tells it, with the message that its followers are told', () => {
  expect(updated.conversation).toEqual(conversations.conversations[0]);
  expect(updated.conversation.lastMessage).toEqual(message.message);
});

test('every event that reaches a client is looked at here', () => {
  const directory = fileURLToPath(new URL('../../protocol/fixtures', import.meta.url));
  const requests = [
    'get_online_users',
    'join_conversation',
    'leave_conversation',
    'message_answer',
    'update_presence',
    'update_presence_idle',
    'visit',
  ];
  const seen = [
    'ai_event_created',
    'conversation_updated',
    'conversations',
    'get_online_users_versioned',
    'join_conversation_ack',
    'message',
    'message_ack',
    'message_refused',
    'message_reply',
    'message_retry',
    'meta_message_created',
    'meta_message_created_named',
    'online_history',
    'online_users_list',
    'online_users_list_versioned',
    'presence_delta',
    'user_offline',
    'user_online',
    'user_online_visit',
    'visitor_token',
  ];
  expect(readdirSync(directory).sort()).toEqual(
    [...requests, ...seen].map((name) => `${name}.json`).sort(),
  );
});
