/**
 * What has been said, in the panel. A row keeps its element while it stays, so that a screen reader hears only what is
 * new, and whoever reads further up is not moved.
 */
import { el, icon, say, set } from './dom.js';
import { pieces } from './links.js';
import { failureOf } from './notice.js';
import type { ChatWidgetTexts } from './public.js';
import type { Row } from './rows.js';

export interface Messages {
  readonly element: HTMLElement;
  /** `isNews`: what is new was said just now. */
  show(rows: readonly Row[], isNews: boolean): void;
  toEnd(): void;
}

type MessageRow = Extract<Row, { kind: 'message' }>;

/** Pixels from the end that still count as being there. */
const NEAR = 48;

export function createMessages(
  texts: ChatWidgetTexts,
  retry: (clientId: string) => void,
): Messages {
  const log = el('div', { class: 'log', role: 'log', 'aria-label': texts.messages, tabindex: '0' });
  const pill = el('button', { class: 'pill', type: 'button', hidden: true }, texts.newMessages, icon('M6 9l6 6 6-6'));
  const elements = new Map<string, HTMLElement>();
  let isAtEnd = true;

  const toEnd = () => {
    log.scrollTop = log.scrollHeight;
    isAtEnd = true;
    pill.hidden = true;
  };
  const isNear = () => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  log.addEventListener('scroll', () => {
    isAtEnd = isNear();
    pill.hidden ||= isAtEnd;
  });
  pill.addEventListener('click', () => {
    toEnd();
    log.focus();
  });
  // A keyboard that opens, or a device that is turned, leaves the end in sight.
  new ResizeObserver(() => isAtEnd && toEnd()).observe(log);

  const make = (row: Row) => {
    if (row.kind === 'day') {
      return el('div', { class: 'day' }, row.text);
    }
    return messageElement(row, texts, retry);
  };
  return {
    element: el('div', { class: 'messages' }, log, pill),
    show(rows, isNews) {
      // Scrolling is told a frame later, and a message may be faster.
      isAtEnd &&= isNear();
      set(log, 'aria-live', isNews ? 'polite' : 'off');
      const wanted = new Set(rows.map(({ key }) => key));
      for (const [key, element] of elements) {
        if (!wanted.has(key)) {
          element.remove();
          elements.delete(key);
        }
      }
      let [isAnswered, hasWritten] = [false, false];
      rows.forEach((row, place) => {
        const known = elements.get(row.key);
        const element = known ?? make(row);
        elements.set(row.key, element);
        if (row.kind === 'message') {
          update(element, row, texts);
          const isOwn = row.message.sender === 'user';
          isAnswered ||= !known && !isOwn;
          hasWritten ||= !known && isOwn && row.message.state === 'pending';
        }
        // Moved only where it must: what is put in anew is read out anew.
        if (log.children[place] !== element) {
          log.insertBefore(element, log.children[place] ?? null);
        }
      });
      if (isAtEnd || hasWritten) {
        toEnd();
      } else if (isAnswered && isNews) {
        pill.hidden = false;
      }
    },
    toEnd,
  };
}

function messageElement(
  { message: { text, sender, clientId } }: MessageRow,
  texts: ChatWidgetTexts,
  retry: (clientId: string) => void,
): HTMLElement {
  const who = { user: texts.you, agent: texts.staff, bot: texts.bot }[sender] ?? texts.staff;
  const again = el('button', { class: 'retry', type: 'button' }, texts.retry);
  again.addEventListener('click', () => clientId !== null && retry(clientId));
  return el(
    'div',
    {},
    el('span', { class: 'aside' }, `${who}: `),
    el('div', { class: 'text' }, ...linked(text)),
    el('div', { class: 'meta' }, el('span'), again),
  );
}

function update(element: HTMLElement, row: MessageRow, texts: ChatWidgetTexts): void {
  const { sender, state, error } = row.message;
  const isFailed = state === 'failed';
  const classes = [
    'entry',
    sender === 'user' ? 'own' : 'theirs',
    state,
    ...(row.isFirst ? ['first'] : []),
    ...(row.isLast ? ['last'] : []),
  ];
  set(element, 'class', classes.join(' '));
  const meta = element.lastElementChild as HTMLElement;
  const [words, again] = meta.children as unknown as [HTMLElement, HTMLElement];
  const status = state === 'pending' ? texts.sending : row.isLatestOwn ? texts.sent : '';
  const said = isFailed
    ? texts[failureOf(error?.code)]
    : [row.isLast && row.time, status].filter(Boolean).join(' · ');
  say(words, said);
  again.hidden = !isFailed;
  meta.hidden = said === '';
}

const linked = (text: string) =>
  pieces(text).map(({ text, href }) =>
    href === undefined
      ? text
      : // Nobody vouches for what people write, and it gets no hold of this page.
        el('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow ugc' }, text),
  );
