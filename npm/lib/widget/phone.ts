/**
 * Small screens: the panel fills what the keyboard leaves of them, and the page behind stands still.
 *
 * What is changed of the page is put back exactly: its styles, and where it was scrolled to.
 */

export interface Screen {
  readonly isSmall: boolean;
  /** The panel fills the screen from now on, or no longer. */
  fill(isFull: boolean): void;
  readonly stop: () => void;
}

/** Also a phone that lies on its side, and any window for whom the text is large. 480 and 420 pixels at the usual size. */
const SMALL = '(max-width: 29.99em), (max-height: 26.24em)';

export function createScreen(root: HTMLElement, changed: () => void): Screen {
  const small = matchMedia(SMALL);
  let release: (() => void) | undefined;
  small.addEventListener('change', changed);
  const fill = (isFull: boolean) => {
    if (isFull) {
      release ??= both(holdPage(), followKeyboard(root));
    } else {
      release?.();
      release = undefined;
    }
  };
  return {
    get isSmall() {
      return small.matches;
    },
    fill,
    stop() {
      small.removeEventListener('change', changed);
      fill(false);
    },
  };
}

const both = (one: () => void, other: () => void) => () => {
  one();
  other();
};

/** Fixed, because a page that only hides its overflow is still moved by the keyboard of some phones. */
function holdPage(): () => void {
  const { scrollX, scrollY } = window;
  const { documentElement, body } = document;
  const restore = [
    change(documentElement, { overflow: 'hidden' }),
    change(body, {
      position: 'fixed',
      top: `${-scrollY}px`,
      left: `${-scrollX}px`,
      right: '0',
      width: '100%',
      overflow: 'hidden',
    }),
  ];
  return () => {
    restore.forEach((undo) => undo());
    // Another page in its place is where that page wants to be.
    if (body === document.body) {
      window.scrollTo({ left: scrollX, top: scrollY, behavior: 'instant' });
    }
  };
}

function change(element: HTMLElement | null, styles: Readonly<Record<string, string>>): () => void {
  const hadStyles = element?.hasAttribute('style');
  const undo = Object.entries(styles).map(([name, value]) => {
    const before = element?.style.getPropertyValue(name) ?? '';
    const priority = element?.style.getPropertyPriority(name);
    element?.style.setProperty(name, value, 'important');
    return () => element?.style.setProperty(name, before, priority);
  });
  return () => {
    undo.forEach((restore) => restore());
    // Looked at first, since Chromium leaves an empty one where it has not been since it changed.
    if (!hadStyles && element?.getAttribute('style') === '') {
      element.removeAttribute('style');
    }
  };
}

/** The part of the screen that the keyboard leaves, as the style sheet needs it. */
function followKeyboard(root: HTMLElement): () => void {
  const seen = window.visualViewport;
  const look = () => {
    // Someone who has zoomed in reads, and is not to be moved.
    if (seen && Math.abs(seen.scale - 1) < 0.01) {
      root.style.setProperty('--seen-top', `${seen.offsetTop}px`);
      root.style.setProperty('--seen-height', `${seen.height}px`);
    }
  };
  look();
  seen?.addEventListener('resize', look);
  seen?.addEventListener('scroll', look);
  return () => {
    seen?.removeEventListener('resize', look);
    seen?.removeEventListener('scroll', look);
  };
}
