/**
 * The panel: head, conversation, and where the visitor writes. Made when it is first opened.
 *
 * On a large screen it is a dialog beside the page; on a small one it fills the screen, and the browser keeps the focus in
 * it and everything behind it out of reach.
 */
import { createComposer, type Composer, type ComposerActions } from './composer.js';
import { CROSS, el, icon, say, set } from './dom.js';
import { createMessages, type Messages } from './messages.js';
import type { Notice } from './notice.js';
import type { ChatWidgetTexts } from './public.js';

export interface Panel {
  readonly element: HTMLDialogElement;
  readonly messages: Messages;
  readonly composer: Composer;
  /** Shows it, or shows it in another way. */
  open(isFull: boolean): void;
  close(): void;
  /** Where the focus belongs once it is open. */
  focus(): void;
  show(notice: Notice): void;
}

export interface PanelActions extends ComposerActions {
  readonly retry: (clientId: string) => void;
  readonly close: () => void;
}

export function createPanel(texts: ChatWidgetTexts, actions: PanelActions): Panel {
  const status = el('p', { class: 'status', role: 'status' });
  const reason = el('div', { class: 'notice', role: 'status' });
  const close = el('button', { class: 'leave', type: 'button', 'aria-label': texts.close }, icon(CROSS));
  const messages = createMessages(texts, actions.retry);
  const composer = createComposer(texts, actions);
  const element = el(
    'dialog',
    { class: 'panel', 'aria-labelledby': 'title', tabindex: '-1' },
    el('header', {}, el('div', {}, el('h2', { id: 'title' }, texts.title), status), close),
    reason,
    messages.element,
    composer.element,
  );
  close.addEventListener('click', actions.close);
  element.addEventListener('cancel', (event) => {
    event.preventDefault();
    actions.close();
  });
  return {
    element,
    messages,
    composer,
    open(isFull) {
      if (element.open) {
        element.close();
      }
      if (isFull) {
        element.showModal();
      } else {
        // Without the focus, which is the visitor's as long as they have not asked for the panel.
        element.open = true;
      }
      messages.toEnd();
    },
    close: () => element.close(),
    focus() {
      // A keyboard that nobody has asked for would cover half of what there is to read.
      const target = matchMedia('(pointer: coarse)').matches ? element : composer.input;
      target.focus({ preventScroll: true });
    },
    show(notice) {
      set(element, 'data-standing', notice.standing);
      say(status, texts[notice.status]);
      say(reason, notice.reason === null ? '' : texts[notice.reason]);
    },
  };
}
