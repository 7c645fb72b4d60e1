/** Hears of it when a page goes on to another address or title without being loaded anew. */

type Method = 'pushState' | 'replaceState';

/** Calls `changed` after each navigation within the page and each change of its title; the result ends that. */
export function watchNavigation(changed: () => void): () => void {
  const navigation = (globalThis as { navigation?: EventTarget }).navigation;
  const observer = new MutationObserver(changed);
  const watchTitle = () =>
    // A title's text, the title element, or one that comes later.
    observer.observe(document.head ?? document.documentElement, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  const navigated = () => {
    // Some pages have another head by then.
    watchTitle();
    changed();
  };
  const ends = navigation
    ? [listen(navigation, 'currententrychange', navigated)]
    : [
        wrapHistory('pushState', navigated),
        wrapHistory('replaceState', navigated),
        listen(window, 'popstate', navigated),
        listen(window, 'hashchange', navigated),
      ];
  watchTitle();
  return () => {
    observer.disconnect();
    ends.forEach((end) => end());
  };
}

/** Listens without ever holding the page up; the result ends that. */
export function listen(
  target: EventTarget,
  type: string,
  listener: (event: Event) => void,
  capture = true,
): () => void {
  const options = { passive: true, capture };
  target.addEventListener(type, listener, options);
  return () => target.removeEventListener(type, listener, options);
}

/** Others may have wrapped the method before, and may wrap it again later: then this wrapper stays, and does nothing. */
function wrapHistory(method: Method, changed: () => void): () => void {
  const own = Object.getOwnPropertyDescriptor(history, method);
  const before = history[method];
  let isOver = false;
  const wrapper: History[Method] = function (this: History, ...change) {
    before.apply(this, change);
    if (!isOver) {
      changed();
    }
  };
  history[method] = wrapper;
  return () => {
    isOver = true;
    if (history[method] === wrapper) {
      if (own) {
        history[method] = before;
      } else {
        delete (history as Partial<History>)[method];
      }
    }
  };
}
