/** What is always there: the bubble, how much waits to be read, and the latest of it. */
import type { ConversationMessage } from '../conversation/log.js';
import { CROSS, el, icon, say, set } from './dom.js';
import type { ChatWidgetTexts } from './public.js';

export interface Launcher {
  readonly element: HTMLElement;
  readonly bubble: HTMLButtonElement;
  show(isOpen: boolean, unread: number, latest: ConversationMessage | undefined): void;
}

export interface LauncherActions {
  readonly toggle: () => void;
  readonly open: () => void;
  readonly dismiss: () => void;
}

const SPEECH =
  'M21 11.5a8.4 8.4 0 0 1-8.5 8.3 8.7 8.7 0 0 1-3.8-.9L3 20.5l1.7-4.9a8 8 0 0 1-.7-3.3C4 7.6 7.8 4 12.5 4S21 7.2 21 11.5Z';

export function createLauncher(
  texts: ChatWidgetTexts,
  { toggle, open, dismiss }: LauncherActions,
): Launcher {
  const count = el('span', { class: 'unread', 'aria-hidden': 'true', hidden: true });
  const bubble = el(
    'button',
    { class: 'bubble', type: 'button', 'aria-haspopup': 'dialog' },
    icon(SPEECH, 'speech'),
    icon(CROSS, 'cross'),
    count,
  );
  // It is there before anything is in it, so that screen readers are told what comes.
  const preview = el('div', { class: 'preview', role: 'status' });
  const who = el('b');
  const words = el('span');
  const read = el('button', { class: 'read', type: 'button' }, who, words);
  const away = el('button', { class: 'away', type: 'button', 'aria-label': texts.dismiss }, icon(CROSS));
  bubble.addEventListener('click', toggle);
  read.addEventListener('click', open);
  away.addEventListener('click', () => {
    dismiss();
    bubble.focus();
  });

  return {
    element: el('section', { class: 'launcher', 'aria-label': texts.title }, preview, bubble),
    bubble,
    show(isOpen, unread, latest) {
      count.hidden = unread === 0 || isOpen;
      say(count, unread > 9 ? '9+' : String(unread));
      const waiting = texts.unread.replace('{n}', String(unread));
      set(bubble, 'aria-expanded', String(isOpen));
      set(
        bubble,
        'aria-label',
        isOpen ? texts.close : unread > 0 ? `${texts.open}, ${waiting}` : texts.open,
      );
      if (latest && !isOpen) {
        say(who, latest.sender === 'bot' ? texts.bot : texts.staff);
        say(words, latest.text);
        if (!read.parentNode) {
          preview.append(read, away);
        }
      } else {
        preview.replaceChildren();
      }
    },
  };
}
