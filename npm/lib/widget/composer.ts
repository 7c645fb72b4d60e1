/** Where the visitor writes. Nothing that was typed is lost: what is too long stays, and is not sent. */
import { el, icon, say, set } from './dom.js';
import type { ChatWidgetTexts } from './public.js';

/** Characters of one message at most. The server takes more, but nobody reads it. */
export const MOST_CHARACTERS = 4000;
/** How many may be left before it is worth a word. */
const NEARLY = 400;

export interface Composer {
  readonly element: HTMLElement;
  readonly input: HTMLTextAreaElement;
  /** Puts a text there that was written before. */
  fill(draft: string): void;
  /** Sends what is there if it may be sent. */
  submit(): void;
}

export interface ComposerActions {
  readonly send: (text: string) => void;
  readonly typed: (draft: string) => void;
}

export function createComposer(texts: ChatWidgetTexts, { send, typed }: ComposerActions): Composer {
  const input = el('textarea', {
    rows: '1',
    enterkeyhint: 'send',
    'aria-label': texts.input,
    'aria-describedby': 'count',
    placeholder: texts.placeholder,
  });
  const button = el('button', { class: 'send', type: 'submit', 'aria-label': texts.send }, icon('M12 19V5M5 12l7-7 7 7'));
  const count = el('div', { class: 'count', id: 'count' });
  const form = el('form', {}, count, input, button);

  const look = () => {
    const text = input.value.trim();
    const left = MOST_CHARACTERS - text.length;
    const words = left < 0 ? texts.over : left <= NEARLY ? texts.left : '';
    say(count, words.replace('{n}', String(Math.abs(left))));
    set(count, 'data-over', left < 0);
    set(input, 'aria-invalid', left < 0 && 'true');
    button.disabled = text === '' || left < 0;
    grow(input);
  };
  const submit = () => {
    if (!button.disabled) {
      const text = input.value.trim();
      input.value = '';
      typed('');
      look();
      send(text);
    }
  };
  input.addEventListener('input', () => {
    typed(input.value);
    look();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
    input.focus();
  });
  look();
  return {
    element: form,
    input,
    fill(draft) {
      input.value = draft;
      look();
    },
    submit,
  };
}

/** Some browsers do it by themselves. */
function grow(input: HTMLTextAreaElement): void {
  if (!CSS.supports('field-sizing', 'content')) {
    input.style.height = 'auto';
    input.style.height = `${input.scrollHeight + 2}px`;
  }
}
