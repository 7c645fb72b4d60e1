/**
 * The bubble and its panel. It shows what it is given and reports what is done to it; it knows no
 * connection. One fixed host element, so the page never shifts.
 */
import type { ConversationMessage } from '../conversation/log.js';
import { styles } from './styles.js';

export type Status = 'connecting' | 'online' | 'offline' | 'failed';

export interface View {
  status(status: Status): void;
  show(messages: readonly ConversationMessage[]): void;
  /** An answer has come; counted on the bubble while the panel is closed. */
  announce(): void;
}

export interface Actions {
  send(text: string): void;
  retry(message: ConversationMessage): void;
}

const STATUS_TEXT: Record<Status, string> = {
  connecting: 'Connecting…',
  online: 'Online',
  offline: 'Reconnecting…',
  failed: 'Chat is unavailable right now',
};

// Constant markup; everything that varies is set as text.
const MARKUP = `
<div class="root">
  <section class="panel" id="panel" role="dialog" aria-labelledby="title" hidden>
    <header><h2 id="title">Chat with us</h2><p class="status" role="status"></p></header>
    <ol class="log" role="log" aria-live="polite" aria-label="Messages" tabindex="0"></ol>
    <form>
      <textarea rows="1" maxlength="4000" aria-label="Your message" placeholder="Write a message…"></textarea>
      <button class="send" type="submit" aria-label="Send" disabled>
        <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M12 19V5M5 12l7-7 7 7"/></svg>
      </button>
    </form>
  </section>
  <button class="bubble" type="button" aria-haspopup="dialog" aria-expanded="false" aria-controls="panel" aria-label="Open chat">
    <svg class="chat" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M21 11.5a8.4 8.4 0 0 1-8.5 8.3 8.7 8.7 0 0 1-3.8-.9L3 20.5l1.7-4.9a8 8 0 0 1-.7-3.3C4 7.6 7.8 4 12.5 4S21 7.2 21 11.5Z"/></svg>
    <svg class="close" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" aria-hidden="true"><path d="M6 6l12 12M18 6L6 18"/></svg>
    <span class="unread" hidden></span>
  </button>
</div>`;

export function mount(parent: HTMLElement, left: boolean, actions: Actions): View {
  const host = document.createElement('div');
  host.className = left ? 'left' : '';
  const shadow = host.attachShadow({ mode: 'open' });
  addStyles(shadow);
  const template = document.createElement('template');
  template.innerHTML = MARKUP;
  shadow.append(template.content);
  const part = <T extends Element>(selector: string) => shadow.querySelector(selector) as T;
  const root = part<HTMLElement>('.root');
  const panel = part<HTMLElement>('.panel');
  const bubble = part<HTMLButtonElement>('.bubble');
  const unread = part<HTMLElement>('.unread');
  const status = part<HTMLElement>('.status');
  const log = part<HTMLElement>('.log');
  const form = part<HTMLFormElement>('form');
  const input = part<HTMLTextAreaElement>('textarea');
  const send = part<HTMLButtonElement>('.send');
  let count = 0;

  const showUnread = () => {
    unread.hidden = count === 0;
    unread.textContent = count > 9 ? '9+' : String(count);
    const waiting = count > 0 ? `, ${count} unread` : '';
    bubble.setAttribute('aria-label', panel.hidden ? `Open chat${waiting}` : 'Close chat');
  };
  const toggle = (open: boolean) => {
    panel.hidden = !open;
    root.classList.toggle('open', open);
    bubble.setAttribute('aria-expanded', String(open));
    if (open) {
      count = 0;
      log.scrollTop = log.scrollHeight;
      input.focus();
    } else {
      bubble.focus();
    }
    showUnread();
  };

  bubble.addEventListener('click', () => toggle(panel.hidden !== false));
  shadow.addEventListener('keydown', (event) => {
    // The page's own shortcuts must not fire while someone types here.
    event.stopPropagation();
    const { key, shiftKey, isComposing } = event as KeyboardEvent;
    if (key === 'Escape' && !panel.hidden) {
      toggle(false);
    } else if (key === 'Enter' && !shiftKey && !isComposing && event.target === input) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  input.addEventListener('input', () => {
    send.disabled = input.value.trim() === '';
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text !== '') {
      input.value = '';
      send.disabled = true;
      actions.send(text);
      input.focus();
    }
  });

  const view: View = {
    status(next) {
      status.textContent = STATUS_TEXT[next];
      status.className = `status ${next}`;
    },
    show(messages) {
      update(log, messages, actions);
    },
    announce() {
      if (panel.hidden) {
        count += 1;
        showUnread();
      }
    },
  };
  view.status('connecting');
  view.show([]);
  parent.append(host);
  return view;
}

/** Rows keep their element while they stay, so that screen readers hear only what is new. */
function update(
  log: HTMLElement,
  messages: readonly ConversationMessage[],
  actions: Actions,
): void {
  const rows = new Map([...log.children].map((row) => [(row as HTMLElement).dataset['key'], row]));
  const greeting = rows.get('greeting') ?? row('greeting', 'entry', 'Hi! How can we help?');
  const next = messages.map((message) => {
    const classes = `entry ${message.sender === 'user' ? 'own' : ''} ${message.state}`;
    const element = rows.get(message.key) ?? row(message.key, classes, message.text);
    element.className = classes;
    note(element, message, actions);
    return element;
  });
  const wanted = new Set<Element>([greeting, ...next]);
  for (const element of [...log.children]) {
    if (!wanted.has(element)) {
      element.remove();
    }
  }
  let grown = false;
  [...wanted].forEach((element, place) => {
    // Moved only where it must: an element that is put in anew is read out anew.
    if (log.children[place] !== element) {
      grown ||= element.parentNode !== log;
      log.insertBefore(element, log.children[place] ?? null);
    }
  });
  if (grown) {
    log.scrollTop = log.scrollHeight;
  }
}

function row(key: string, classes: string, text: string): HTMLElement {
  const element = document.createElement('li');
  element.dataset['key'] = key;
  element.className = classes;
  const body = document.createElement('span');
  body.className = 'text';
  body.textContent = text;
  element.append(body);
  return element;
}

function note(element: Element, message: ConversationMessage, actions: Actions): void {
  const present = element.querySelector('.note');
  if (message.state !== 'failed') {
    present?.remove();
  } else if (!present) {
    const line = document.createElement('span');
    line.className = 'note';
    const retry = document.createElement('button');
    retry.type = 'button';
    retry.textContent = 'Try again';
    retry.addEventListener('click', () => actions.retry(message));
    line.append('Not sent. ', retry);
    element.append(line);
  }
}

/** A constructed sheet passes a policy that forbids inline styles; older browsers get an element. */
function addStyles(shadow: ShadowRoot): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    shadow.adoptedStyleSheets = [sheet];
  } catch {
    const element = document.createElement('style');
    element.textContent = styles;
    shadow.append(element);
  }
}
