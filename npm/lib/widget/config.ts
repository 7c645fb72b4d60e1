/**
 * `window.ChatWidgetConfig`, checked. Whatever a page has written there, this throws nothing: what cannot be used is left
 * out, and a sentence says what to do about it. Without a tenant or a server there is no widget.
 */
import { subject } from '../conversation/unsent.js';
import type { ChatWidgetConfig, ChatWidgetTexts } from './public.js';
import { isLocale, languageOf, textsOf } from './strings.js';

export interface WidgetOptions {
  readonly tenantId: string;
  readonly baseUrl: string;
  readonly siteId: string | undefined;
  readonly apiKey: string | undefined;
  readonly proof: Proof;
  readonly isLeft: boolean;
  readonly color: string | undefined;
  readonly theme: 'auto' | 'light' | 'dark';
  readonly locale: string;
  readonly dir: 'ltr' | 'rtl';
  readonly texts: ChatWidgetTexts;
  readonly autoConnect: boolean;
  readonly fullUrls: boolean;
}

/** Who the visitor is: a token, or the way to one; `undefined` for one who has none. The same one is the same visitor. */
export type Proof = ChatWidgetConfig['token'] | ChatWidgetConfig['getToken'];

/** What the page and its browser say. */
export interface Surroundings {
  readonly scriptUrl: string | undefined;
  readonly lang: string;
  readonly dir: string;
  readonly language: string;
  readonly isColor: (color: string) => boolean;
}

export interface Reading {
  /** `undefined`: nothing can be shown. */
  readonly options: WidgetOptions | undefined;
  /** For the page's developer. */
  readonly problems: readonly string[];
}

const RIGHT_TO_LEFT = /^(ar|he|iw|fa|ur|ps|sd|ug|yi|dv|ckb)\b/i;

const oneOf = (...values: string[]) => (value: unknown) => values.includes(value as string);
const isText = (value: unknown) => typeof value === 'string' && value !== '';
const isName = (value: unknown) => isText(value) || Number.isFinite(value);
const isFlag = (value: unknown) => typeof value === 'boolean';
const isFunction = (value: unknown) => typeof value === 'function';
const isAddress = (value: unknown) => isText(value) && /^https?:\/\/[^/]/i.test(value as string) && isUrl(value as string);

/** What each field must be, and how to say so. */
const FIELDS: Record<keyof ChatWidgetConfig, [test: (value: unknown) => boolean, is: string]> = {
  tenantId: [isName, 'a text or a number'],
  position: [oneOf('bottom-right', 'bottom-left'), "'bottom-right' or 'bottom-left'"],
  baseUrl: [isAddress, "an address like 'https://chat.example.com'"],
  siteId: [isName, 'a text or a number'],
  apiKey: [isText, 'a text'],
  token: [isText, 'a text'],
  getToken: [isFunction, 'a function'],
  color: [isText, 'an opaque CSS colour'],
  theme: [oneOf('auto', 'light', 'dark'), "'auto', 'light' or 'dark'"],
  locale: [isLocale, "a language tag like 'de'"],
  dir: [oneOf('ltr', 'rtl'), "'ltr' or 'rtl'"],
  texts: [(value) => typeof value === 'object', 'an object'],
  autoConnect: [isFlag, 'true or false'],
  fullUrls: [isFlag, 'true or false'],
};

export function readConfig(given: unknown, page: Surroundings): Reading {
  const problems: string[] = [];
  const config = checked(given, page, problems);
  const { tenantId } = config;
  const baseUrl = config.baseUrl ?? originOf(page.scriptUrl);
  if (tenantId === undefined) {
    problems.push("set window.ChatWidgetConfig = { tenantId: '…' } before the script");
  } else if (baseUrl === undefined) {
    problems.push("set baseUrl: the script's own address names no server");
  } else {
    const locale = languageOf([config.locale, page.lang, page.language], config.texts);
    const dir = config.dir ?? dirOf(config.locale, page.dir, locale);
    const options: WidgetOptions = {
      tenantId: String(tenantId),
      baseUrl,
      siteId: config.siteId === undefined ? undefined : String(config.siteId),
      apiKey: config.apiKey,
      proof: proofOf(config),
      isLeft: config.position === undefined ? dir === 'rtl' : config.position === 'bottom-left',
      color: config.color,
      theme: config.theme ?? 'auto',
      locale,
      dir,
      texts: textsOf(locale, config.texts, problems),
      autoConnect: config.autoConnect ?? true,
      fullUrls: config.fullUrls ?? false,
    };
    return { options, problems };
  }
  return { options: undefined, problems };
}

/** What of it says who somebody is, if anything does. */
export function proofOf(who: unknown): Proof {
  const { token, getToken } = (who ?? {}) as Partial<ChatWidgetConfig>;
  return isFunction(getToken) ? getToken : isText(token) ? token : undefined;
}

/** Whether both are of one visitor: a token is renewed now and then. Functions do not say whose tokens they fetch. */
export function isSameVisitor(one: Proof, other: Proof): boolean {
  const user = subject(one);
  return one === other || (user !== undefined && user === subject(other));
}

/** What of it can be used. */
function checked(
  given: unknown,
  page: Surroundings,
  problems: string[],
): Partial<ChatWidgetConfig> {
  const usable: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given ?? {})) {
    const [test, is] = (Object.hasOwn(FIELDS, name) && FIELDS[name as keyof ChatWidgetConfig]) || [];
    if (!test) {
      problems.push(`${name} is not known`);
    } else if (value === undefined || value === null) {
      // As if it were not there.
    } else if (!test(value) || (name === 'color' && !page.isColor(value as string))) {
      problems.push(`${name} must be ${is}`);
    } else {
      usable[name] = value;
    }
  }
  return usable;
}

/** Whether it is more than the beginning of one. Older browsers have no `URL.canParse`. */
function isUrl(text: string): boolean {
  try {
    return Boolean(new URL(text));
  } catch {
    return false;
  }
}

function originOf(url: string | undefined): string | undefined {
  return isAddress(url) ? new URL(url as string).origin : undefined;
}

function dirOf(locale: string | undefined, pageDir: string, spoken: string): 'ltr' | 'rtl' {
  const ofPage = locale === undefined && /^(ltr|rtl)$/.exec(pageDir)?.[0];
  return (ofPage || (RIGHT_TO_LEFT.test(locale ?? spoken) ? 'rtl' : 'ltr')) as 'ltr' | 'rtl';
}
