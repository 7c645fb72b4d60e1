/**
 * What a site's page says to the widget and hears from it: types alone, which the package exports for pages in TypeScript.
 * They say what a page may write; `config.ts` looks at what it has written.
 */

/** Every text of the widget, in one language. `{n}` stands for a number. */
export interface ChatWidgetTexts {
  /** Above the conversation, and the name of the widget to screen readers. */
  title: string;
  /** The first line of each conversation; empty: none. */
  greeting: string;
  /** The bubble, to screen readers. */
  open: string;
  /** The same while the chat is open. */
  close: string;
  /** How many messages wait to be read, to screen readers. */
  unread: string;
  /** What takes the preview of a message away. */
  dismiss: string;
  /** The conversation, to screen readers. */
  messages: string;
  /** Where the visitor writes, to screen readers. */
  input: string;
  /** The same while it is empty. */
  placeholder: string;
  /** What sends it. */
  send: string;
  /** Who says it, to screen readers: the visitor. */
  you: string;
  /** Who says it: someone of the staff. */
  staff: string;
  /** Who says it: a program. */
  bot: string;
  /** A message that is on its way. */
  sending: string;
  /** One that has arrived. */
  sent: string;
  /** One that was not sent. */
  notSent: string;
  /** One that was refused for its length. */
  tooLong: string;
  /** One that was refused because there were too many. */
  tooMany: string;
  /** What sends it once more. */
  retry: string;
  /** What leads to the end, when something new is there. */
  newMessages: string;
  /** How many characters are left, near the limit. */
  left: string;
  /** How many characters are too many. */
  over: string;
  /** The connection is up. */
  online: string;
  /** It is coming up. */
  connecting: string;
  /** It is coming up again. */
  reconnecting: string;
  /** It does not come up. */
  unavailable: string;
  /** Why: it was lost. */
  lost: string;
  /** Why: the browser says that there is no network. */
  offline: string;
  /** Why: the server refuses this page. */
  refused: string;
  /** Why: the server refuses this visitor. */
  signIn: string;
  /** Why: the page's policy or the browser forbids what the chat needs. */
  blocked: string;
}

/** `window.ChatWidgetConfig`: read when the script starts, and again at each `boot`. */
export interface ChatWidgetConfig {
  /** Whose chat it is. */
  tenantId: string | number;
  /** Default: `bottom-right`; in a language that is written from right to left, `bottom-left`. */
  position?: 'bottom-right' | 'bottom-left' | undefined;
  /** Base address of the server. Default: the origin that the script came from. */
  baseUrl?: string | undefined;
  /** Which of the tenant's sites it is. */
  siteId?: string | number | undefined;
  /** The tenant's widget key, if it has any. It is public by nature. */
  apiKey?: string | undefined;
  /** Proves who the visitor is, by a token of your backend. */
  token?: string | undefined;
  /** Fetches that token whenever one is needed; wins over `token`. */
  getToken?: (() => string | null | undefined | Promise<string | null | undefined>) | undefined;
  /** Any opaque CSS colour; what stands on it is made readable. Default: a blue. */
  color?: string | undefined;
  /** Default: `auto`, what the visitor's system prefers. */
  theme?: 'auto' | 'light' | 'dark' | undefined;
  /** A language tag. Default: that of the page (`<html lang>`), else the browser's. */
  locale?: string | undefined;
  /** Default: that of `locale`, else the page's (`<html dir>`). */
  dir?: 'ltr' | 'rtl' | undefined;
  /** Other texts than the built-in ones, for all languages or by language tag. */
  texts?: Partial<ChatWidgetTexts> | Record<string, Partial<ChatWidgetTexts>> | undefined;
  /** `false`: nothing is connected, stored or read before `connect` or the visitor's click. Default: true. */
  autoConnect?: boolean | undefined;
  /** Tell the server addresses with query and fragment, if the tenant allows it. Default: false. */
  fullUrls?: boolean | undefined;
}

/** Who the visitor is; `null`: nobody that is known. */
export type ChatWidgetIdentity = Pick<ChatWidgetConfig, 'token' | 'getToken'> | null;

/** What listeners are told, by event; the same as `detail` of the DOM event `chat-widget:<event>` on `window`. */
export interface ChatWidgetEvents {
  /** The widget is in the page. Whoever listens later is told at once. */
  ready: Record<string, never>;
  /** The chat was opened. */
  open: Record<string, never>;
  /** The chat was closed. */
  close: Record<string, never>;
  /** Something was said: by others, or by the visitor and delivered. */
  message: {
    /** The server's id, if it is known. */
    id: string | null;
    /** What was said. Text, not markup. */
    text: string;
    /** Who said it: the visitor, someone of the staff, or a program. */
    sender: 'user' | 'agent' | 'bot';
    /** ISO-8601, UTC; the server's time, if it is known. */
    timestamp: string | null;
  };
  /** How many messages wait to be read, whenever that changes. */
  unread: {
    /** 0: everything has been read. */
    count: number;
  };
  /** What has gone wrong; `code` is one of the package's. */
  error: {
    /** For programs. */
    code: string;
    /** For the page's developer. */
    message: string;
  };
  /** `live`: connected; `connecting`: on the way, or to be tried again; `failed`: refused for good. */
  connection: {
    /** Where it stands now. */
    state: 'connecting' | 'live' | 'failed';
  };
  /** The widget is out of the page. */
  shutdown: Record<string, never>;
}

/** The name of an event. */
export type ChatWidgetEvent = keyof ChatWidgetEvents;

/** What is called with an event's detail. */
export type ChatWidgetListener<E extends ChatWidgetEvent> = (detail: ChatWidgetEvents[E]) => void;

/** A command with its arguments, as it is pushed. */
export type ChatWidgetCommand =
  | ['open' | 'close' | 'toggle' | 'connect' | 'shutdown' | 'boot']
  | ['identify', ChatWidgetIdentity]
  | { [E in ChatWidgetEvent]: ['on' | 'off', E, ChatWidgetListener<E>] }[ChatWidgetEvent];

/** `window.ChatWidget`, once the script has loaded; before, it is an array of commands. */
export interface ChatWidget {
  /** Runs commands, so that one way of writing serves before the script has loaded and after. */
  push(...commands: ChatWidgetCommand[]): void;
  /** Opens the chat, which also connects. */
  open(): void;
  /** Closes it; the bubble stays. */
  close(): void;
  /** Opens it if it is closed, and the other way round. */
  toggle(): void;
  /** Connects, where `autoConnect` is `false`: the visitor has agreed. */
  connect(): void;
  /** Says who the visitor is. Another one than before does not see what that one wrote; a later token of the same one renews theirs. */
  identify(who: ChatWidgetIdentity): void;
  /** Calls `listener` at each such event. */
  on<E extends ChatWidgetEvent>(event: E, listener: ChatWidgetListener<E>): void;
  /** Calls it no longer. */
  off<E extends ChatWidgetEvent>(event: E, listener: ChatWidgetListener<E>): void;
  /** Disconnects, takes the widget out of the page, and forgets what was written in this tab and has not arrived. */
  shutdown(): void;
  /** Starts again, by what `window.ChatWidgetConfig` is then. */
  boot(): void;
}
