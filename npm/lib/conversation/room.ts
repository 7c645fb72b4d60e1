/**
 * One conversation that runs: its connection, and what becomes of the log by it.
 *
 * It decides nothing about messages; `log.ts` and `queue.ts` do. It runs for as long as somebody reads it or an own
 * message is under way, so that what was written is sent even if the page shows something else by then.
 */
import type { Socket } from 'chat-core';
import { ChatAPI } from '../api.js';
import { currentConfig } from '../config.js';
import { coreConfig } from '../core-config.js';
import { inBrowser, loadCore } from '../core.js';
import { ChatError, fail } from '../errors.js';
import { SocketEvent, SocketOp } from '../ops.js';
import { keepToken, messageBody, visitorToken } from '../page.js';
import type { ChatMessage, MessageReceipt, WebsiteInfo } from '../types.js';
import * as logs from './log.js';
import type { ConversationMessage, Log } from './log.js';
import * as queue from './queue.js';

export interface ConversationSnapshot {
  /** Oldest first; own messages that are not delivered yet stand at the end. */
  readonly messages: readonly ConversationMessage[];
  /** The messages so far are being read, for the first time. */
  readonly isLoading: boolean;
  /** Why something may be missing; null while all is well. */
  readonly error: ChatError | null;
  /** What is said is told as it is said. */
  readonly isConnected: boolean;
}

/** Who speaks: staff, in the conversation of a session, or a visitor, in their own. */
export interface Speaker {
  readonly tenantId: string;
  readonly sessionId: string | undefined;
  readonly website: WebsiteInfo | undefined;
}

export interface Room {
  snapshot(): ConversationSnapshot;
  send(clientId: string, text: string): void;
  retry(clientId: string): void;
  loadHistory(): Promise<void>;
  /** Calls the reader after each change, until it is taken out. */
  add(reader: () => void): void;
  remove(reader: () => void): void;
  /** Gives up what is under way, and ends. */
  close(): void;
  isClosed(): boolean;
}

/** What a history answers to whoever may not read it: nothing that a visitor could do anything about. */
const NOT_FOR_THIS_ONE: ReadonlySet<number | undefined> = new Set([401, 403, 404]);

export function openingSnapshot(speaker: Speaker): ConversationSnapshot {
  const isLoading = speaker.sessionId !== undefined;
  return { messages: logs.EMPTY.entries, isLoading, error: null, isConnected: false };
}

/** Opens it on what was known before. `ended` is called once. */
export function openRoom(
  speaker: Speaker,
  before: ConversationSnapshot | undefined,
  ended: () => void,
): Room {
  const { tenantId, sessionId, website } = speaker;
  const staff = sessionId !== undefined;
  const sender = staff ? 'agent' : 'user';
  const readers = new Set<() => void>();
  const api = new ChatAPI(tenantId, staff ? undefined : (website ?? {}));
  let log: Log = { ...logs.EMPTY, entries: (before?.messages ?? []) as Log['entries'] };
  let snapshot = before ?? openingSnapshot(speaker);
  let socket: Socket | undefined;
  let opening = false;
  let closed = false;
  /** How many connections were given up: what they still say is nobody's concern. */
  let givenUp = 0;
  let hasHistory = false;
  /** The message on its way; another object for each attempt. */
  let underWay: { clientId: string } | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reading: Promise<void> | undefined;

  const set = (change: Partial<ConversationSnapshot>) => {
    const next = { ...snapshot, ...change };
    const names = Object.keys(next) as (keyof ConversationSnapshot)[];
    if (!closed && names.some((name) => next[name] !== snapshot[name])) {
      snapshot = next;
      [...readers].forEach((reader) => reader());
    }
  };
  const update = (next: Log) => {
    log = next;
    set({ messages: log.entries });
  };
  const stop = () => {
    clearTimeout(timer);
    timer = undefined;
    underWay = undefined;
    givenUp += 1;
    socket?.(SocketOp.Close);
    socket = undefined;
    opening = false;
  };
  const leave = () => {
    if (!closed && readers.size === 0 && !queue.next(log)) {
      end();
    }
  };
  const end = () => {
    stop();
    set({ isConnected: false });
    closed = true;
    ended();
  };
  /** There is no further attempt to connect, until somebody asks for one. */
  const giveUp = (error: ChatError) => {
    stop();
    let given = log;
    for (let entry = queue.next(given); entry?.clientId; entry = queue.next(given)) {
      given = logs.failed(given, entry.clientId, error);
    }
    log = given;
    set({ messages: log.entries, isConnected: false, isLoading: false, error });
    leave();
  };

  const pump = () => {
    const entry = queue.next(log);
    if (!entry) {
      return leave();
    }
    const { clientId } = entry;
    if (!socket || !snapshot.isConnected || underWay || timer !== undefined || clientId === null) {
      return;
    }
    const attempt = { clientId };
    underWay = attempt;
    update(logs.tried(log, clientId));
    const body = messageBody(entry.text, staff ? undefined : (website ?? {}), {
      clientId,
      ...(entry.tries > 0 && { retry: true }),
      ...(staff && { sessionId }),
    });
    socket(SocketOp.Send, body).then(
      (receipt: MessageReceipt) => settle(attempt, logs.acknowledged(log, clientId, receipt ?? {})),
      (cause: unknown) => settle(attempt, afterFailure(clientId, asError(cause))),
    );
  };
  const settle = (attempt: { clientId: string }, next: Log) => {
    if (underWay === attempt) {
      underWay = undefined;
    }
    update(next);
    pump();
  };
  const afterFailure = (clientId: string, error: ChatError): Log => {
    const entry = logs.own(log, clientId);
    const { tries = 0 } = entry ?? {};
    if (queue.afterFailure(error.code, { tries, names: log.names }) === 'fail') {
      return logs.failed(log, clientId, error);
    }
    if (snapshot.isConnected && entry?.state === 'pending') {
      clearTimeout(timer);
      timer = setTimeout(() => {
        timer = undefined;
        pump();
      }, queue.pause(tries, Math.random()));
    }
    return logs.delayed(log, clientId, error);
  };

  const read = async (asked: boolean) => {
    try {
      const messages = await history();
      hasHistory = true;
      log = logs.remembered(log, messages);
      set({ messages: log.entries, isLoading: false, error: null });
    } catch (cause) {
      const error = asError(cause);
      // Who was not asked to read has nothing to complain about.
      const quiet = !asked && !staff && NOT_FOR_THIS_ONE.has(error.status);
      set({ isLoading: false, ...(!quiet && { error }) });
    } finally {
      reading = undefined;
      leave();
    }
  };
  const history = async (): Promise<readonly ChatMessage[]> => {
    if (!staff) {
      return api.getMessages();
    }
    if (!socket) {
      return api.getMessages(sessionId);
    }
    // Joins, too: from now on what is said there is told here.
    return (await socket(SocketOp.Join, { sessionId })).messages;
  };
  const load = (asked: boolean) => {
    set({ isLoading: !hasHistory });
    return (reading ??= read(asked));
  };

  const listen = (event: SocketEvent, value: unknown) => {
    switch (event) {
      case SocketEvent.Connected:
        clearTimeout(timer);
        timer = undefined;
        set({ isConnected: true, error: null });
        // What was said while nobody listened. Others than proven visitors have nothing to read.
        if (staff || visitorToken(tenantId) || currentConfig().getToken) {
          void load(false);
        }
        return pump();
      case SocketEvent.Disconnected:
        return set({ isConnected: false });
      case SocketEvent.Failed:
        return snapshot.isConnected ? undefined : set({ error: asError(value) });
      case SocketEvent.Refused:
        return giveUp(asError(value));
      case SocketEvent.Message:
        return hear(value as ChatMessage);
      case SocketEvent.VisitorToken:
        return keepToken(tenantId, value);
      case SocketEvent.UserOnline:
      case SocketEvent.UserOffline:
      case SocketEvent.List:
        return undefined;
    }
  };
  const hear = (message: ChatMessage) => {
    update(logs.told(log, message));
    if (underWay && logs.own(log, underWay.clientId)?.state === 'delivered') {
      underWay = undefined;
      pump();
    }
  };

  const open = async () => {
    if (opening || closed) {
      return;
    }
    if (!inBrowser()) {
      const error = fail('NOT_CONNECTED', 'There is no connection outside a browser');
      return queue.next(log) && giveUp(error);
    }
    opening = true;
    const line = givenUp;
    try {
      const config = coreConfig(tenantId, staff, staff ? undefined : (website ?? {}));
      const core = await loadCore();
      if (line === givenUp) {
        socket = core.chatSocket(config, (event, value) => {
          if (line === givenUp) {
            listen(event, value);
          }
        });
      }
    } catch (cause) {
      if (line === givenUp) {
        giveUp(asError(cause));
      }
    }
  };

  return {
    snapshot: () => snapshot,
    send(clientId, text) {
      update(logs.written(log, clientId, text, sender));
      void open();
      pump();
    },
    retry(clientId) {
      update(logs.again(log, clientId));
      void open();
      pump();
    },
    loadHistory: () => load(true),
    add(reader) {
      readers.add(reader);
      void open();
    },
    remove(reader) {
      readers.delete(reader);
      queueMicrotask(leave);
    },
    close() {
      readers.clear();
      giveUp(fail('ABORTED', 'The conversation was closed before this was delivered'));
    },
    isClosed: () => closed,
  };
}

function asError(cause: unknown): ChatError {
  return cause instanceof ChatError ? cause : fail('INTERNAL', String(cause));
}
