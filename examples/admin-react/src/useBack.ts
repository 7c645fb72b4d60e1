/**
 * The browser's way back closes what is open, as one expects where it has taken the lists' place.
 *
 * A step back that is made here arrives later. Until then the next one makes no step of its own: it would be what is taken back.
 */
import { useEffect } from 'react';

/** Settles when the last step back that was made here has arrived. */
let arrived = Promise.resolve();

export function useBack(isOpen: boolean, close: () => void): void {
  useEffect(() => {
    if (!isOpen) {
      return undefined;
    }
    let state: 'waiting' | 'made' | 'over' = 'waiting';
    void arrived.then(() => {
      if (state === 'waiting') {
        state = 'made';
        history.pushState({ isOpen: true }, '');
        addEventListener('popstate', close);
      }
    });
    return () => {
      removeEventListener('popstate', close);
      // Closed in another way: the step that was made for it is taken back.
      if (state === 'made' && isOpenHere()) {
        stepBack();
      }
      state = 'over';
    };
  }, [isOpen, close]);
}

function stepBack(): void {
  arrived = new Promise((resolve) => {
    addEventListener('popstate', () => resolve(), { once: true });
  });
  history.back();
}

function isOpenHere(): boolean {
  return (history.state as { isOpen?: boolean } | null)?.isOpen === true;
}
