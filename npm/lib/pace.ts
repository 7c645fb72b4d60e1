/** Work that is asked for often and done rarely. */

/** The longest wait where no frames come: in the background, or outside a page. */
const WITHOUT_FRAMES = 250;

export interface Pace {
  /** Has the work done once, when its time comes. */
  ask(): void;
  /** Takes that back. */
  cancel(): void;
}

/** Does `work` at most once per frame of the page, or once in `interval` milliseconds. */
export function paced(work: () => void, interval: 'frame' | number): Pace {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let frame = 0;
  const framed = interval === 'frame' && typeof requestAnimationFrame === 'function';
  const cancel = () => {
    clearTimeout(timer);
    timer = undefined;
    if (framed) {
      cancelAnimationFrame(frame);
    }
  };
  const due = () => {
    cancel();
    work();
  };
  return {
    ask() {
      if (timer === undefined) {
        timer = setTimeout(due, interval === 'frame' ? WITHOUT_FRAMES : interval);
        if (framed) {
          frame = requestAnimationFrame(due);
        }
      }
    },
    cancel,
  };
}
