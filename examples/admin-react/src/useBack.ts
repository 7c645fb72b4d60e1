/**
 * The browser's way back closes what is open, as one expects where it has taken the lists' place.
 *
 * A step back that is made here arrives later, when something else may be open: it closes nothing, because it leads to a place
 * that was one of an open conversation, too.
 */
import { useEffect } from 'react';

export function useBack(isOpen: boolean, close: () => void): void {
  useEffect(() => {
    if (!isOpen) {
      return undefined;
    }
    history.pushState({ isOpen: true }, '');
    const onStep = () => {
      if (!isOpenHere()) {
        close();
      }
    };
    addEventListener('popstate', onStep);
    return () => {
      removeEventListener('popstate', onStep);
      // Closed in another way: the step that was made for it is taken back.
      if (isOpenHere()) {
        history.back();
      }
    };
  }, [isOpen, close]);
}

function isOpenHere(): boolean {
  return (history.state as { isOpen?: boolean } | null)?.isOpen === true;
}
