/**
 * One widget in the page, from its start to its end: connects what the visitor does, what the session says, and what is
 * shown.
 *
 * - Until it is admitted, nothing is read, kept or asked.
 * - What the session says is looked at once for everything that changes in one go.
 * - After `stop` nothing is shown and nothing is told.
 */
import type { ConversationMessage } from '../conversation/log.js';
import type { ChatError } from '../errors.js';
import { computedColor, readableOn } from './colors.js';
import { isSameVisitor, type Proof, proofOf, type WidgetOptions } from './config.js';
import { set } from './dom.js';
import type { Events } from './events.js';
import { createHost, type Host } from './host.js';
import { createLauncher, type Launcher } from './launcher.js';
import { newsBetween } from './news.js';
import { noticeOf, PATIENCE, type Standing, standingOf } from './notice.js';
import { createPanel, type Panel } from './panel.js';
import { createScreen, type Screen } from './phone.js';
import type { ChatWidgetIdentity } from './public.js';
import { clockOf, rowsOf } from './rows.js';
import { Session } from './session.js';
import { cell, type Cell, forgetWritten, type Kept, parseKept } from './storage.js';
import * as marks from './unread.js';

const KEY = 'amoiq-chat-widget';

export class Widget {
  readonly #options: WidgetOptions;
  readonly #events: Events;
  readonly #warn: (problem: unknown) => void;
  readonly #session: Session;
  readonly #host: Host;
  readonly #screen: Screen;
  readonly #launcher: Launcher;
  #panel: Panel | undefined;
  /** Ends what listens to the page. */
  readonly #over = new AbortController();

  /** Where it is kept what outlives the page; none before the widget is admitted. */
  #kept: { readonly panel: Cell; readonly mark: Cell } | undefined;
  #isOpen = false;
  #draft = '';
  /** Where the focus was before the panel had it. */
  #opener: HTMLElement | undefined;
  #mark = marks.NO_MARK;
  /** The messages at the last look; `undefined` before what was said so far is known. */
  #known: readonly ConversationMessage[] | undefined;
  /** What is drawn, so that nothing is drawn twice. */
  #drawn: readonly ConversationMessage[] | undefined;
  /** The day on which it was drawn: the next one calls it otherwise. */
  #today = '';
  #midnight: ReturnType<typeof setTimeout> | undefined;
  #unread = 0;
  #standing: Standing | undefined;
  #wasLive = false;
  #isLasting = false;
  #isBlocked = false;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #error: ChatError | null = null;
  #isAsked = false;

  constructor(options: WidgetOptions, events: Events, warn: (problem: unknown) => void) {
    this.#options = options;
    this.#events = events;
    this.#warn = warn;
    this.#session = new Session(options, () => this.#lookSoon());
    this.#host = createHost((event) => this.#keyPressed(event));
    this.#screen = createScreen(this.#host.root, () => this.#isOpen && this.#showPanel());
    this.#launcher = createLauncher(options.texts, {
      toggle: () => this.toggle(),
      open: () => this.open(),
      dismiss: () => this.#dismiss(),
    });
    this.#host.root.append(this.#launcher.element);
    this.#dress();
    this.#listen();
    this.#draw();
  }

  /** From now on what was kept is read, and what happens is kept. */
  admit(): void {
    if (this.#kept) {
      return;
    }
    const { tenantId } = this.#options;
    this.#kept = {
      panel: cell(() => sessionStorage, KEY + tenantId),
      mark: cell(() => localStorage, `${KEY}-read${tenantId}`),
    };
    this.#session.follow();
    const { isOpen, draft } = parseKept(this.#kept.panel.read());
    this.#draft ||= draft;
    this.#mark = marks.parseMark(this.#kept.mark.read());
    this.#countUnread();
    if (isOpen && !this.#isOpen) {
      this.#isOpen = true;
      this.#showPanel();
    }
    this.#draw();
  }

  connect(): void {
    if (!this.#session.isStarted) {
      this.admit();
      this.#session.start();
      this.#lookSoon();
    }
  }

  open(): void {
    this.connect();
    if (!this.#isOpen) {
      const { activeElement } = document;
      this.#opener = activeElement instanceof HTMLElement ? activeElement : undefined;
      this.#isOpen = true;
      this.#showPanel();
      this.#panel?.focus();
      this.#keep();
      this.#look();
      this.#events.emit('open', {});
    }
  }

  close(): void {
    if (this.#isOpen) {
      const hadFocus = document.activeElement === this.#host.element;
      this.#isOpen = false;
      this.#panel?.close();
      this.#screen.fill(false);
      this.#keep();
      this.#draw();
      if (hadFocus) {
        this.#focusOutside();
      }
      this.#events.emit('close', {});
    }
  }

  toggle(): void {
    if (this.#isOpen) {
      this.close();
    } else {
      this.open();
    }
  }

  identify(who: ChatWidgetIdentity): void {
    const proof = proofOf(who);
    if (who && !proof) {
      throw new Error("'identify' takes { token: '…' }, { getToken: () => … } or null");
    }
    // Pages say so on each of their views.
    if (proof === this.#session.proof) {
      return;
    }
    if (isSameVisitor(proof, this.#session.proof) && this.#session.snapshot.isConnected) {
      this.#session.become(proof);
      return;
    }
    this.makeWayFor(proof);
    this.#session.identify(proof);
    this.#known = undefined;
    this.#wasLive = false;
    this.#mark = { ...marks.parseMark(this.#kept?.mark.read() ?? ''), count: 0 };
    this.#look();
  }

  /** What a visitor who is known has begun to write is not the next one's. */
  makeWayFor(proof: Proof): void {
    const { proof: former, isStarted } = this.#session;
    if (former !== undefined && !isSameVisitor(former, proof) && isStarted) {
      this.#type('');
      this.#panel?.composer.fill('');
    }
  }

  /** `forgets`: whoever comes next has written nothing. */
  stop(forgets: boolean): void {
    this.#over.abort();
    clearTimeout(this.#patience);
    clearTimeout(this.#midnight);
    this.#session.end();
    this.#panel?.element.close();
    this.#screen.stop();
    this.#host.remove();
    if (forgets) {
      // Last, since what ends may still write something down.
      forgetWritten();
    }
  }

  // What it looks like.

  #dress(): void {
    const { root } = this.#host;
    const { locale, dir, isLeft, color } = this.#options;
    set(root, 'lang', locale);
    set(root, 'dir', dir);
    set(root, 'data-side', isLeft ? 'left' : 'right');
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const theme = () => {
      const { theme } = this.#options;
      set(root, 'data-theme', theme === 'auto' ? (dark.matches ? 'dark' : 'light') : theme);
    };
    theme();
    dark.addEventListener('change', theme, { signal: this.#over.signal });
    if (color !== undefined) {
      root.style.setProperty('--accent', color);
      root.style.setProperty('--on-accent', readableOn(computedColor(color)) ?? '#fff');
    }
  }

  #showPanel(): void {
    this.#panel ??= this.#makePanel();
    const hadFocus = document.activeElement === this.#host.element;
    this.#screen.fill(this.#screen.isSmall);
    set(this.#host.root, 'data-full', this.#screen.isSmall);
    this.#panel.open(this.#screen.isSmall);
    if (hadFocus) {
      this.#panel.focus();
    }
    this.#draw();
  }

  #makePanel(): Panel {
    const panel = createPanel(this.#options.texts, {
      send: (text) => this.#session.send(text),
      retry: (clientId) => this.#session.retry(clientId),
      typed: (draft) => this.#type(draft),
      close: () => this.close(),
    });
    this.#host.root.prepend(panel.element);
    panel.composer.fill(this.#draft);
    return panel;
  }

  #focusOutside(): void {
    const opener = this.#opener;
    const target = opener?.isConnected && opener !== document.body ? opener : this.#launcher.bubble;
    (target === this.#host.element ? this.#launcher.bubble : target).focus({ preventScroll: true });
  }

  /** Shows what is known. */
  #draw(): void {
    const { messages } = this.#session.snapshot;
    const latest = this.#known && marks.reminder(this.#mark, messages);
    this.#launcher.show(this.#isOpen, this.#unread, latest);
    set(this.#host.root, 'data-open', this.#isOpen);
    if (this.#panel && this.#isOpen) {
      this.#panel.show(
        noticeOf(this.#session.snapshot, {
          wasLive: this.#wasLive,
          isLasting: this.#isLasting,
          isOnline: navigator.onLine,
          isBlocked: this.#isBlocked,
        }),
      );
      const today = new Date().toDateString();
      if (this.#drawn !== messages || this.#today !== today) {
        this.#today = today;
        this.#drawMessages(this.#panel, messages);
      }
    }
  }

  #drawMessages(panel: Panel, messages: readonly ConversationMessage[]): void {
    const { locale, texts } = this.#options;
    const isNews = this.#drawn !== undefined && this.#drawn !== messages && this.#known !== undefined;
    this.#drawn = messages;
    const now = Date.now();
    clearTimeout(this.#midnight);
    this.#midnight = setTimeout(() => this.#draw(), new Date(now).setHours(24, 0, 1) - now);
    const rows = rowsOf(messages, clockOf(locale, now));
    panel.messages.show(texts.greeting ? [greeting(texts.greeting), ...rows] : rows, isNews);
  }

  // What happens.

  #listen(): void {
    const { signal } = this.#over;
    const look = () => this.#lookSoon();
    ['online', 'offline', 'storage'].forEach((type) => window.addEventListener(type, look, { signal }));
    // Also when the page comes out of the browser's cache.
    document.addEventListener('visibilitychange', look, { signal });
    document.addEventListener('securitypolicyviolation', (event) => this.#blocked(event), { signal });
  }

  #blocked({ blockedURI, disposition }: SecurityPolicyViolationEvent): void {
    const { host } = new URL(this.#options.baseUrl);
    if (disposition === 'enforce' && URL.canParse?.(blockedURI) && new URL(blockedURI).host === host) {
      this.#isBlocked = true;
      this.#warn(`the page's content security policy blocks ${host}: add it to connect-src`);
      this.#lookSoon();
    }
  }

  #keyPressed(event: KeyboardEvent): void {
    const { key, shiftKey, isComposing, keyCode } = event;
    // What finishes a word in an input method is not meant for the widget.
    if (isComposing || keyCode === 229) {
      return;
    }
    if (key === 'Escape' && this.#isOpen) {
      event.preventDefault();
      this.close();
    } else if (key === 'Enter' && !shiftKey && event.composedPath()[0] === this.#panel?.composer.input) {
      event.preventDefault();
      this.#panel?.composer.submit();
    }
  }

  #lookSoon(): void {
    if (!this.#isAsked) {
      this.#isAsked = true;
      queueMicrotask(() => {
        this.#isAsked = false;
        if (!this.#over.signal.aborted) {
          this.#look();
        }
      });
    }
  }

  #look(): void {
    const { messages, isLoading, isConnected } = this.#session.snapshot;
    this.#lookAtConnection();
    const before = this.#known;
    if (before || (isConnected && !isLoading)) {
      this.#known = messages;
      this.#markRead(messages);
    }
    this.#countUnread();
    this.#draw();
    if (before && before !== messages) {
      this.#tell(before, messages);
    }
  }

  #lookAtConnection(): void {
    const { error } = this.#session.snapshot;
    const standing = standingOf(this.#session.snapshot);
    if (standing === 'live') {
      this.#wasLive = true;
    }
    if (standing !== this.#standing && this.#session.isStarted) {
      this.#standing = standing;
      clearTimeout(this.#patience);
      this.#isLasting = false;
      this.#patience = setTimeout(() => {
        this.#isLasting = true;
        this.#draw();
      }, PATIENCE);
      this.#events.emit('connection', { state: standing });
    }
    // One that comes again and again is told once.
    if (error && error.code !== this.#error?.code) {
      this.#fail(error);
    }
    this.#error = error ?? (standing === 'live' ? null : this.#error);
  }

  #markRead(messages: readonly ConversationMessage[]): void {
    const other = marks.parseMark(this.#kept?.mark.read() ?? '');
    let next = marks.settled(marks.merged(this.#mark, other), messages);
    if (this.#isOpen && document.visibilityState === 'visible') {
      next = marks.readAll(next, messages);
    }
    // Another tab that wrote at the same time may have put back an older one, and nobody would put it right.
    this.#setMark(next, (other.read ?? 0) < (next.read ?? 0));
  }

  #setMark(next: marks.Mark, isOlderKept = false): void {
    if (isOlderKept || !marks.isSame(next, this.#mark)) {
      this.#mark = next;
      this.#kept?.mark.write(JSON.stringify(next));
    }
  }

  #dismiss(): void {
    this.#setMark(marks.dismissed(this.#mark, this.#session.snapshot.messages));
    this.#draw();
  }

  #countUnread(): void {
    const { count } = this.#mark;
    if (count !== this.#unread) {
      this.#unread = count;
      this.#events.emit('unread', { count });
    }
  }

  #tell(before: readonly ConversationMessage[], messages: readonly ConversationMessage[]): void {
    const { said, failed } = newsBetween(before, messages);
    said.forEach(({ id, text, sender, timestamp }) =>
      this.#events.emit('message', { id, text, sender, timestamp }),
    );
    failed.forEach(({ error }) => error && error !== this.#error && this.#fail(error));
  }

  #fail(error: ChatError): void {
    this.#warn(error);
    this.#events.emit('error', { code: error.code, message: error.message });
  }

  #type(draft: string): void {
    this.#draft = draft;
    this.#keep();
  }

  #keep(): void {
    const kept: Kept = { isOpen: this.#isOpen, draft: this.#draft };
    this.#kept?.panel.write(kept.isOpen || kept.draft ? JSON.stringify(kept) : '');
  }
}

/** What stands above each conversation. Nobody has said it, and it has no time. */
const greeting = (text: string) => ({
  kind: 'message' as const,
  key: 'greeting',
  message: {
    key: 'greeting',
    id: null,
    clientId: null,
    text,
    sender: 'agent' as const,
    timestamp: null,
    state: 'delivered' as const,
    error: null,
    message: null,
  },
  isFirst: true,
  isLast: true,
  time: '',
  isLatestOwn: false,
});
