/** Where one writes. Enter sends, with Shift it is a new line; while an input method composes, Enter is its own. */
import { type KeyboardEvent, type RefObject, useState } from 'react';
import type { ConversationPanelTexts } from './texts.js';

export interface ComposerProps {
  /** What was written before and not sent. */
  draft: string;
  /** Keeps what is written. */
  keep: (draft: string) => void;
  send: (text: string) => void;
  input: RefObject<HTMLTextAreaElement | null>;
  text: ConversationPanelTexts;
}

export function Composer({ draft, keep, send, input, text }: ComposerProps) {
  const [written, setWritten] = useState(draft);
  const write = (next: string) => {
    setWritten(next);
    keep(next);
  };
  const submit = () => {
    const words = written.trim();
    if (words) {
      send(words);
      write('');
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      submit();
    }
  };
  return (
    <form
      className="acw-composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
        // A finger that has sent goes on writing.
        input.current?.focus();
      }}
    >
      <textarea
        ref={input}
        className="acw-input"
        rows={1}
        dir="auto"
        aria-label={text.placeholder}
        placeholder={text.placeholder}
        value={written}
        onChange={(event) => write(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <button type="submit" className="acw-button" data-primary="" disabled={!written.trim()}>
        {text.send}
      </button>
    </form>
  );
}
