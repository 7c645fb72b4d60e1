/** Addresses in what people write. Only `http` and `https`; whatever else looks like one stays text. */

export interface Piece {
  readonly text: string;
  /** Where it leads, if anywhere. */
  readonly href?: string;
}

const ADDRESS = /https?:\/\/[^\s<>"“”«»]+/gi;
/** What ends a sentence and no address. */
const TRAILING = /[.,;:!?'’*_~…؟،]+$/;

export function pieces(text: string): readonly Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    if (URL.canParse?.(address) ?? true) {
      found.push({ text: text.slice(end, match.index) }, { text: address, href: address });
      end = match.index + address.length;
    }
  }
  found.push({ text: text.slice(end) });
  return found.filter((piece) => piece.text !== '');
}

/** Without what belongs to the sentence around it: marks, and brackets that were opened before it. */
function trimmed(address: string): string {
  let kept = address;
  for (;;) {
    const shorter = kept.replace(TRAILING, '');
    const last = shorter.at(-1) ?? '';
    const opening = { ')': '(', ']': '[', '}': '{' }[last];
    const isAlien = opening !== undefined && shorter.split(last).length > shorter.split(opening).length;
    if (!isAlien && shorter === kept) {
      return kept;
    }
    kept = isAlien ? shorter.slice(0, -1) : shorter;
  }
}
