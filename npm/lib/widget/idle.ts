/** When a page that is being loaded can be asked for something. */

/** A page that has not loaded by then may never do so. */
const LONGEST_LOAD = 4000;
/** How long a busy page is left alone. */
const LONGEST_WAIT = 2000;

/**
 * Calls once the page is parsed, has a moment, and is one that somebody visits: browsers prepare pages that may never be
 * seen. The moment is for what takes the document over from the server: to some of that, an element which is not its own is an
 * error as long as it has not done so.
 */
export function whenParsed(run: () => void): void {
  const again = () => whenParsed(run);
  if ((document as { prerendering?: boolean }).prerendering) {
    document.addEventListener('prerenderingchange', again, { once: true });
  } else if (isBeingParsed()) {
    document.addEventListener('DOMContentLoaded', again, { once: true });
  } else {
    idle(run);
  }
}

/** What the page defers runs when all is there to be read, and is a part of it. */
function isBeingParsed(): boolean {
  const { readyState } = document;
  const { timing } = performance;
  return (
    readyState === 'loading' ||
    // Nothing else says whether the event is still to come, and browsers that keep such times to themselves say zero of both.
    (readyState === 'interactive' && timing?.domContentLoadedEventStart < timing?.domInteractive)
  );
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
  const loaded = () => idle(once);
  if (document.readyState === 'complete') {
    loaded();
  } else {
    window.addEventListener('load', loaded, { once: true });
    setTimeout(loaded, LONGEST_LOAD);
  }
  return () => {
    isOver = true;
  };
}

function idle(run: () => void): void {
  if (typeof requestIdleCallback === 'function') {
    requestIdleCallback(run, { timeout: LONGEST_WAIT });
  } else {
    setTimeout(run);
  }
}
