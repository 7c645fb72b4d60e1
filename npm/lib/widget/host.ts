/**
 * The one element in the page, with everything else in its shadow root.
 *
 * It stands beside `<body>`, not in it: pages that replace what is in their body do not touch it, and no transform, filter
 * or layout of the body's moves it. Whoever takes it out of the page all the same, or makes another root, finds it put
 * back, but not for ever.
 */
import { el } from './dom.js';
import styles from './styles.css?inline';

export interface Host {
  readonly element: HTMLElement;
  /** Holds all parts; has the language, the direction and the colours. */
  readonly root: HTMLElement;
  readonly remove: () => void;
}

/** A page that takes it out more often than this means it. */
const MOST_RETURNS = 20;

export function createHost(keyPressed: (event: KeyboardEvent) => void): Host {
  const element = el('div');
  const shadow = element.attachShadow({ mode: 'open' });
  // A constructed sheet passes a policy that forbids inline styles.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  shadow.adoptedStyleSheets = [sheet];
  const root = el('div', { class: 'root' });
  shadow.append(root);

  let returns = -1;
  const keep = () => {
    const page = document.documentElement as HTMLElement | null;
    if (page && element.parentNode !== page && returns < MOST_RETURNS) {
      returns += 1;
      page.append(element);
      keeper.observe(page, { childList: true });
    }
  };
  const keeper = new MutationObserver(keep);
  keeper.observe(document, { childList: true });
  keep();
  NATIVE.forEach((type) =>
    element.addEventListener(type, (event) => event.stopPropagation(), { passive: true }),
  );
  const release = keepEvents(element, keyPressed);
  return {
    element,
    root,
    remove() {
      keeper.disconnect();
      release();
      element.remove();
    },
  };
}

/** By these pages scroll in their own way, and guard their texts: what is in the widget is scrolled, copied and pasted as anywhere. */
const NATIVE = ['wheel', 'touchstart', 'touchmove', 'copy', 'cut', 'paste', 'contextmenu', 'selectstart'];

const KEPT = ['keydown', 'keyup', 'keypress', 'focusin'];

/**
 * What is typed in the widget is nobody else's: the page's shortcuts do not fire, and a dialog of the page's that holds
 * the focus does not fetch it back. Stopped where every event begins, since the page may listen there as well.
 */
function keepEvents(element: HTMLElement, keyPressed: (event: KeyboardEvent) => void): () => void {
  const keep = (event: Event) => {
    if (event.composedPath().includes(element)) {
      event.stopImmediatePropagation();
      if (event.type === 'keydown') {
        keyPressed(event as KeyboardEvent);
      }
    }
  };
  KEPT.forEach((type) => window.addEventListener(type, keep, true));
  return () => KEPT.forEach((type) => window.removeEventListener(type, keep, true));
}
