/** The browser's way back closes what is open, as one expects where it has taken the lists' place. */
import { useEffect } from 'react';

export function useBack(isOpen: boolean, close: () => void): void {
  useEffect(() => {
    if (!isOpen) {
      return undefined;
    }
    const here = { open: performance.now() };
    history.pushState(here, '');
    addEventListener('popstate', close);
    return () => {
      removeEventListener('popstate', close);
      // Closed in another way: the step that was made for it is taken back.
      if ((history.state as typeof here | null)?.open === here.open) {
        history.back();
      }
    };
  }, [isOpen, close]);
}
