/** When a page that is being loaded can be asked for something. */

/** A page that has not loaded by then may never do so. */
const LONGEST_LOAD = 4000;
/** How long a busy page is left alone. */
const LONGEST_WAIT = 2000;

/** Calls once the document is parsed, and is a page that somebody visits: browsers prepare pages that may never be seen. */
export function whenParsed(run: () => void): void {
  if ((document as { prerendering?: boolean }).prerendering) {
    document.addEventListener('prerenderingchange', () => whenParsed(run), { once: true });
  } else if (document.readyState === 'loading') {
    document.addEventListener('DOMContentLoaded', run, { once: true });
  } else {
    run();
  }
}

/** Calls once the page is loaded and has nothing to do. The result calls it off. */
export function whenIdle(run: () => void): () => void {
  let isOver = false;
  const once = () => {
    if (!isOver) {
      isOver = true;
      run();
    }
  };
  const idle = () => {
    if (typeof requestIdleCallback === 'function') {
      requestIdleCallback(once, { timeout: LONGEST_WAIT });
    } else {
      setTimeout(once);
    }
  };
  if (document.readyState === 'complete') {
    idle();
  } else {
    window.addEventListener('load', idle, { once: true });
    setTimeout(idle, LONGEST_LOAD);
  }
  return () => {
    isOver = true;
  };
}
