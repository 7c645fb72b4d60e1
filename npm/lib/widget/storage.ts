/** What the browser keeps for the widget. Storage that is blocked, full or gone is as good as empty: nothing fails by it. */

/** One value; `''` where there is none. */
export interface Cell {
  read(): string;
  /** `''` takes it away. */
  write(value: string): void;
}

/** `storage` is asked for each time, because asking may throw. */
export const cell = (storage: () => Storage, key: string): Cell => ({
  read() {
    try {
      return storage().getItem(key) ?? '';
    } catch {
      return '';
    }
  },
  write(value) {
    try {
      if (value) {
        storage().setItem(key, value);
      } else {
        storage().removeItem(key);
      }
    } catch {
      // It lasts as long as the page.
    }
  },
});

/** Forgets what was written in this tab and has not arrived: draft and unsent messages, of whichever visitor. */
export function forgetWritten(): void {
  try {
    for (const key of Object.keys(sessionStorage).filter((key) => key.startsWith('amoiq-chat-'))) {
      sessionStorage.removeItem(key);
    }
  } catch {
    // Where it is blocked nothing is kept.
  }
}

/** What a tab keeps of the panel. */
export interface Kept {
  readonly isOpen: boolean;
  readonly draft: string;
}

export function parseKept(text: string): Kept {
  try {
    const { isOpen, draft } = JSON.parse(text || '{}') as Partial<Record<keyof Kept, unknown>>;
    return { isOpen: isOpen === true, draft: typeof draft === 'string' ? draft : '' };
  } catch {
    return { isOpen: false, draft: '' };
  }
}
