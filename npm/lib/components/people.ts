/** How a visitor and their page are called on a screen. Pure: the same id has the same name and colour everywhere. */

const ANONYMOUS = 'anonymous-';
/** Follows it where the visitor has a token that the server has signed. Nobody can name themselves like that. */
const KNOWN_AGAIN = '~';

/**
 * Whose a session's conversation is: the user's, who goes on with it by whichever session, or that session's alone, where
 * nothing but an unsigned name says who it is.
 */
export function ownerOf(userId: string | undefined, sessionId: string): string {
  const isProven =
    userId !== undefined &&
    (!userId.startsWith(ANONYMOUS) || userId.startsWith(ANONYMOUS + KNOWN_AGAIN));
  return isProven ? userId : sessionId;
}

/**
 * What a visitor is called: their id, or, if they have none that people could read, a word and the beginning of it.
 *
 * @param word What a visitor without a name is.
 */
export function visitorName(userId: string, word = 'Visitor'): string {
  return userId.startsWith(ANONYMOUS) ? `${word} ${ownPart(userId).slice(0, 6)}` : userId;
}

/** The letter that stands for a visitor. */
export function initialOf(userId: string): string {
  const [first = '?'] = ownPart(userId);
  return first.toUpperCase();
}

/** What tells an id from others, from its first letter or digit on. */
function ownPart(userId: string): string {
  const own = userId.startsWith(ANONYMOUS) ? userId.slice(ANONYMOUS.length) : userId;
  return own.replace(/^[^\p{L}\p{N}]+/u, '');
}

/** The colour that stands for a visitor, in degrees. */
export function hueOf(userId: string): number {
  let sum = 0;
  for (const character of userId) {
    sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 360;
  }
  return sum;
}

/** A page's address as a visitor's browser told it. */
export interface PageAddress {
  /** What may be followed: a browser may tell anything, and only addresses of pages are. */
  readonly href: string | undefined;
  /** The host, or nothing. */
  readonly host: string;
  /** What comes behind the host, made readable; the whole text where it is no address of a page. */
  readonly path: string;
}

/** An address in the parts that are worth showing. */
export function pageAddress(url: string | undefined): PageAddress {
  if (!url || !URL.canParse(url)) {
    return { href: undefined, host: '', path: url ?? '' };
  }
  const { protocol, host, pathname, search } = new URL(url);
  return protocol === 'https:' || protocol === 'http:'
    ? { href: url, host, path: readable(pathname + search) }
    : { href: undefined, host: '', path: url };
}

/** Letters for their codes. Whatever else is encoded stays so: it could make the address look like another one. */
function readable(path: string): string {
  return path.replace(/(?:%[89a-f][\da-f])+/gi, (codes) => {
    try {
      const text = decodeURIComponent(codes);
      return /^[\p{L}\p{M}\p{N}]+$/u.test(text) ? text : codes;
    } catch {
      return codes;
    }
  });
}
