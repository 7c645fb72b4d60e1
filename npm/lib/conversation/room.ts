/**
 * One conversation that runs: its connection, and what becomes of the log by it.
 *
 * It decides nothing about messages; `log.ts` and `queue.ts` do. It runs for as long as somebody reads it or an own
 * message is under way, so that what was written is sent even if the page shows something else by then.
 */
import type { Auth, CoreConfig, Socket } from 'chat-core';
import { ChatAPI } from '../api.js';
import { updated } from '../audience.js';
import { currentConfig } from '../config.js';
import { coreConfig } from '../core-config.js';
import { canConnect, loadCore } from '../core.js';
import { asError, type ChatError, fail } from '../errors.js';
import { firstTurn } from '../first-visit.js';
import { SocketEvent, SocketOp } from '../ops.js';
import { keepToken, messageBody, visitorId, visitorToken } from '../page.js';
import type { ChatMessage, WebsiteInfo } from '../types.js';
import { type Reporter, reporter, visited } from '../visit/report.js';
import type { Visit } from '../visit/types.js';
import * as logs from './log.js';
import type { ConversationMessage, Entry, Log } from './log.js';
import * as queue from './queue.js';
import { resumed, Shelf, unsentOf, whose } from './unsent.js';

/** What is known of a conversation at one moment. It never changes: something new is a new snapshot. */
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

/** Who speaks: staff, in the conversation of a session; or a visitor, in their own. */
export interface Speaker {
  readonly tenantId: string;
  readonly sessionId: string | undefined;
  readonly website: WebsiteInfo | undefined;
}

/** What a history answers to whoever may not read it: nothing that a visitor could do anything about. */
const NOT_FOR_THIS_ONE: ReadonlySet<number | undefined> = new Set([401, 403, 404]);

export function openingSnapshot({ sessionId }: Speaker): ConversationSnapshot {
  const isLoading = sessionId !== undefined;
  return { messages: logs.EMPTY.entries, isLoading, error: null, isConnected: false };
}

export class Room {
  readonly #speaker: Speaker;
  readonly #isStaff: boolean;
  /** What a visitor's messages and requests say of the page. */
  readonly #website: WebsiteInfo | undefined;
  readonly #api: ChatAPI;
  readonly #ended: () => void;
  readonly #readers = new Set<() => void>();
  #log: Log;
  #snapshot: ConversationSnapshot;
  #isOver = false;
  #visit: Visit | undefined;
  #reporter: Reporter | undefined;
  /** Where unsent messages are kept, if they are. */
  #shelf: Shelf | undefined;
  /** From whom they are, as soon as that is known. */
  #whose: string | undefined;

  #socket: Socket | undefined;
  #isOpening = false;
  /** Lets other tabs make their first connection. */
  #endTurn = () => {};
  /** How many connections were given up: what they still say is nobody's concern. */
  #givenUp = 0;
  /** The message on its way; another object for each attempt. */
  #attempt: { readonly clientId: string } | undefined;
  /** Before it fires, nothing is sent. */
  #pause: ReturnType<typeof setTimeout> | undefined;

  #reading: Promise<void> | undefined;
  #hasHistory = false;
  /** When it fires, what could not be read is read again. */
  #rereading: ReturnType<typeof setTimeout> | undefined;
  /** How many readings in a row have failed. */
  #misses = 0;

  /** Begins with what was known before. `ended` is called once, when nobody needs it any more. */
  constructor(speaker: Speaker, before: ConversationSnapshot | undefined, ended: () => void) {
    this.#speaker = speaker;
    this.#isStaff = speaker.sessionId !== undefined;
    this.#website = this.#isStaff ? undefined : (speaker.website ?? {});
    this.#api = new ChatAPI(speaker.tenantId, this.#website);
    this.#ended = ended;
    this.#snapshot = before ?? openingSnapshot(speaker);
    // A snapshot's messages are the log's entries.
    this.#log = { ...logs.EMPTY, entries: this.#snapshot.messages as readonly Entry[] };
  }

  get snapshot(): ConversationSnapshot {
    return this.#snapshot;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Tells the server of the visit, from the next connect on. */
  follow(visit: Visit): void {
    if (this.#visit !== visit) {
      this.#reporter?.close();
      this.#visit = visit;
      this.#reporter = reporter(visit, (change) => this.#socket?.(SocketOp.Report, change));
    }
  }

  /** Keeps what is not delivered, and goes on with what was kept. */
  keep(shelf: Shelf): void {
    if (this.#shelf) {
      return;
    }
    this.#shelf = shelf;
    globalThis.addEventListener?.('pageshow', this.#doubt);
    const { getToken, apiKey: token } = currentConfig();
    if (!getToken) {
      this.#identify({
        ...(token && { token }),
        ...(!this.#isStaff && { visitorId: visitorId() }),
      });
    }
  }

  /** Calls the reader after each change, until it is taken out. */
  add(reader: () => void): void {
    this.#readers.add(reader);
    void this.#open();
  }

  remove(reader: () => void): void {
    this.#readers.delete(reader);
    // Whoever comes back in one go finds it as it was.
    queueMicrotask(() => this.#endIfIdle());
  }

  send(clientId: string, text: string, tries?: number): void {
    const sender = this.#isStaff ? 'agent' : 'user';
    this.#update(logs.written(this.#log, clientId, text, sender, tries));
    void this.#open();
    this.#sendNext();
  }

  retry(clientId: string, text?: string): void {
    if (text !== undefined && !logs.own(this.#log, clientId)) {
      this.send(clientId, text, 1);
      return;
    }
    this.#update(logs.again(this.#log, clientId));
    void this.#open();
    this.#sendNext();
  }

  /** Where connecting has failed, does it anew at once: there is reason to believe that it would succeed now. */
  reconnect(): void {
    const { error, isConnected } = this.#snapshot;
    if (error && !isConnected && this.#readers.size > 0) {
      this.#disconnect();
      void this.#open();
    }
  }

  loadHistory(): Promise<void> {
    this.reconnect();
    return this.#reading ?? this.#load(true);
  }

  /** Takes a reader out; after the last one, gives up what is under way, and ends. */
  close(reader: () => void): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) {
      // What is still being read is of nobody's interest, and whoever comes next may be another visitor.
      this.#reading = undefined;
      this.#giveUp(fail('ABORTED', 'The conversation was closed before this was delivered'));
    }
  }

  #set(change: Partial<ConversationSnapshot>): void {
    const next = updated(this.#snapshot, change);
    if (next !== this.#snapshot) {
      const isSaid = next.messages !== this.#snapshot.messages;
      this.#snapshot = next;
      if (isSaid) {
        this.#save();
      }
      [...this.#readers].forEach((reader) => reader());
    }
  }

  #update(log: Log): void {
    this.#log = log;
    this.#set({ messages: log.entries });
  }

  // The connection.

  async #open(): Promise<void> {
    if (this.#isOpening || this.#isOver) {
      return;
    }
    if (!canConnect()) {
      return this.#failAll(fail('NOT_CONNECTED', 'There is no connection outside a browser'));
    }
    this.#isOpening = true;
    const line = this.#givenUp;
    const isCurrent = () => line === this.#givenUp;
    try {
      const config = coreConfig(this.#speaker.tenantId, this.#isStaff, this.#website);
      const core = await loadCore();
      const endTurn = this.#isStaff ? this.#endTurn : await firstTurn(this.#speaker.tenantId);
      if (!isCurrent()) {
        return endTurn();
      }
      this.#endTurn = endTurn;
      this.#socket = core.chatSocket(this.#introduced(config, isCurrent), (event, value) => {
        if (isCurrent()) {
          this.#hear(event, value);
        }
      });
    } catch (cause) {
      if (isCurrent()) {
        this.#giveUp(asError(cause));
      }
    }
  }

  /** With each connect it is said of which visit it is a part, and noted who comes. */
  #introduced(config: CoreConfig, isCurrent: () => boolean): CoreConfig {
    const credentials = async () => {
      const auth = await config.credentials();
      if (isCurrent()) {
        this.#identify(auth);
      }
      return auth;
    };
    const { website } = config;
    const visit = this.#visit;
    const given = this.#website;
    return {
      ...config,
      get website() {
        return visit ? visited(website, visit, given) : website;
      },
      credentials,
      about: () => ({ visit: this.#reporter?.auth() }),
    };
  }

  #hear(event: SocketEvent, value: unknown): void {
    switch (event) {
      case SocketEvent.Connected:
        return this.#connected();
      case SocketEvent.Disconnected:
        this.#reporter?.disconnected();
        return this.#set({ isConnected: false });
      case SocketEvent.Failed:
        return this.#snapshot.isConnected ? undefined : this.#set({ error: asError(value) });
      case SocketEvent.Refused:
        return this.#giveUp(asError(value));
      case SocketEvent.Message:
        return this.#told(value as ChatMessage);
      case SocketEvent.VisitorToken:
        return keepToken(this.#speaker.tenantId, value);
      case SocketEvent.UserOnline:
      case SocketEvent.UserOffline:
      case SocketEvent.List:
      case SocketEvent.Conversation:
        return undefined;
    }
  }

  #connected(): void {
    this.#resume();
    this.#endTurn();
    this.#reporter?.connected();
    this.#set({ isConnected: true, error: null });
    // What was said while nobody listened. Other visitors than proven ones have nothing to read.
    if (this.#isStaff || visitorToken(this.#speaker.tenantId) || currentConfig().getToken) {
      void this.#load(false);
    } else {
      // So what is read later is news.
      this.#hasHistory = true;
    }
    this.#sendNext();
  }

  #told(message: ChatMessage): void {
    this.#update(logs.told(this.#log, message));
    const attempt = this.#attempt;
    if (attempt && logs.own(this.#log, attempt.clientId)?.state === 'delivered') {
      this.#attempt = undefined;
      this.#sendNext();
    }
  }

  /** There is no further attempt to connect, until somebody asks for one. */
  #giveUp(error: ChatError): void {
    this.#disconnect();
    this.#failAll(error);
    this.#set({ isConnected: false, isLoading: false, error });
    this.#endIfIdle();
  }

  #failAll(error: ChatError): void {
    let log = this.#log;
    for (let entry = queue.next(log); entry; entry = queue.next(log)) {
      log = logs.failed(log, entry.key, error);
    }
    this.#update(log);
  }

  #disconnect(): void {
    this.#givenUp += 1;
    this.#resume();
    clearTimeout(this.#rereading);
    this.#attempt = undefined;
    this.#endTurn();
    this.#reporter?.disconnected();
    this.#socket?.(SocketOp.Close);
    this.#socket = undefined;
    this.#isOpening = false;
  }

  #endIfIdle(): void {
    if (!this.#isOver && this.#readers.size === 0 && !queue.next(this.#log) && !this.#reading) {
      this.#disconnect();
      this.#set({ isConnected: false });
      this.#isOver = true;
      this.#reporter?.close();
      globalThis.removeEventListener?.('pageshow', this.#doubt);
      this.#ended();
    }
  }

  // Own messages.

  #sendNext(): void {
    const entry = queue.next(this.#log);
    if (!entry) {
      return this.#endIfIdle();
    }
    const isBusy = this.#attempt !== undefined || this.#pause !== undefined;
    if (!this.#socket || !this.#snapshot.isConnected || isBusy) {
      return;
    }
    const attempt = { clientId: entry.key };
    this.#attempt = attempt;
    this.#update(logs.tried(this.#log, attempt.clientId));
    this.#socket(SocketOp.Send, this.#body(entry)).then(
      (receipt) => {
        this.#settle(attempt, logs.acknowledged(this.#log, attempt.clientId, receipt ?? {}));
      },
      (cause: unknown) => this.#settle(attempt, this.#afterFailure(attempt, asError(cause))),
    );
  }

  #body({ key, text, tries }: Entry): object {
    const { sessionId } = this.#speaker;
    const retry = tries > 0 || undefined;
    return messageBody(text, this.#website, { sessionId, clientId: key, retry });
  }

  #settle(attempt: object, log: Log): void {
    if (this.#attempt === attempt) {
      this.#attempt = undefined;
    }
    this.#update(log);
    this.#sendNext();
  }

  #afterFailure({ clientId }: { readonly clientId: string }, error: ChatError): Log {
    const entry = logs.own(this.#log, clientId);
    const { tries = 0 } = entry ?? {};
    if (queue.afterFailure(error.code, { tries, names: this.#log.names }) === 'fail') {
      return logs.failed(this.#log, clientId, error);
    }
    if (this.#snapshot.isConnected && entry?.state === 'pending') {
      this.#resume();
      this.#pause = setTimeout(
        () => {
          this.#resume();
          this.#sendNext();
        },
        queue.pause(tries, Math.random()),
      );
    }
    return logs.delayed(this.#log, clientId, error);
  }

  #resume(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  // What is kept of them.

  #identify(auth: Auth): void {
    const before = this.#whose;
    this.#whose = whose(auth);
    if (!this.#shelf || before === this.#whose) {
      return;
    }
    // What somebody else has written is neither sent nor kept in this one's name.
    const log = before === undefined ? this.#log : logs.deliveredOnly(this.#log);
    this.#resumeFrom(log);
  }

  #resumeFrom(log: Log): void {
    const kept = this.#shelf?.read();
    const sender = this.#isStaff ? 'agent' : 'user';
    this.#update(kept && kept.whose === this.#whose ? resumed(log, kept, sender) : log);
    this.#save();
  }

  #save(): void {
    if (this.#whose !== undefined) {
      this.#shelf?.write(unsentOf(this.#log, this.#whose));
    }
  }

  /** While the browser kept this page aside, another one may have sent what was kept, or have kept more. */
  readonly #doubt = (): void => this.#resumeFrom(logs.doubted(this.#log));

  // What was said before.

  /** Also while something is being read: that may be of before the connection, and of what came since it knows nothing. */
  #load(isAsked: boolean): Promise<void> {
    clearTimeout(this.#rereading);
    this.#set({ isLoading: !this.#hasHistory });
    const reading = this.#read(isAsked, () => this.#reading === reading);
    this.#reading = reading;
    return reading;
  }

  async #read(isAsked: boolean, isLatest: () => boolean): Promise<void> {
    try {
      const messages = await this.#history();
      this.#hasHistory = true;
      this.#misses = 0;
      this.#log = logs.remembered(this.#log, messages);
      this.#set({ messages: this.#log.entries, isLoading: false, error: null });
    } catch (cause) {
      const error = asError(cause);
      // A page that has not asked for it has nothing to complain about.
      const isQuiet = !isAsked && !this.#isStaff && NOT_FOR_THIS_ONE.has(error.status);
      if (isLatest()) {
        this.#set({ isLoading: false, ...(!isQuiet && { error }) });
        this.#rereadAfter(error);
      }
    }
    if (isLatest()) {
      this.#reading = undefined;
    }
    this.#endIfIdle();
  }

  /** Staff hear nothing before they have joined, and nobody else will say what was missed. */
  #rereadAfter({ code }: ChatError): void {
    if (this.#snapshot.isConnected && queue.RETRIED.has(code)) {
      this.#misses += 1;
      const pause = queue.pause(this.#misses, Math.random());
      this.#rereading = setTimeout(() => void this.#load(false), pause);
    }
  }

  async #history(): Promise<readonly ChatMessage[]> {
    const { sessionId } = this.#speaker;
    if (sessionId === undefined || !this.#socket) {
      return this.#api.getMessages(sessionId);
    }
    // From now on what is said there is told here.
    return (await this.#socket(SocketOp.Join, { sessionId })).messages;
  }
}
