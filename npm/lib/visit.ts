/**
 * A visit of the page's site, followed in the browser: hands what happens to the page to the state machine of
 * `visit/track.ts`, and keeps its record in the site's storage, where there is one.
 *
 * What must stay true: nothing holds the page up, no timer runs while the visitor is idle, and nothing of it is left in the
 * page after `close`. Nothing is read that would tell this browser from others.
 */
import { type Listeners, tell } from './audience.js';
import { load, save } from './page.js';
import { listen, watchNavigation } from './visit/navigation.js';
import * as tracks from './visit/track.js';
import type { Visit, VisitOptions } from './visit/types.js';

export type { Visit, VisitOptions, VisitSnapshot } from './visit/types.js';

const KEY = 'amoiq-chat-visit';

/**
 * What only visitors do: a page may scroll by itself, but it does not turn a wheel. Keys may be kept from here, as those that
 * are pressed in the widget are, or come from no keyboard; what they write is told all the same.
 */
const ACTIVITY = ['pointerdown', 'pointermove', 'keydown', 'input', 'wheel', 'touchstart', 'touchmove'];

/** Pointers move a hundred times a second. */
const NOTICED_EVERY = 1000;

/**
 * Follows the visit that this page is part of: where the visitor is, since when, and whether they do anything. It is one
 * visit in all tabs, until nobody has done anything for half an hour. On a server nothing is followed.
 */
export function followVisit({ fullUrls = false }: VisitOptions = {}): Visit {
  const isPage = typeof document !== 'undefined';
  const opening = {
    ...(isPage ? pageNow() : { url: '', title: '' }),
    referrer: isPage ? document.referrer : '',
    isHidden: isPage && document.hidden,
    fullUrls,
  };
  const listeners: Listeners = new Set();
  let track = tracks.opened(opening, isPage ? load(KEY) : '', Date.now());
  let ends: (() => void)[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let timerAt = Infinity;

  const arm = (due: number) => {
    // One that fires early finds out; one that is not needed must not.
    if (due < timerAt || due === Infinity) {
      clearTimeout(timer);
      timerAt = due;
      timer = due < Infinity ? setTimeout(fire, Math.max(0, due - Date.now())) : undefined;
    }
  };
  const become = (next: tracks.Track) => {
    const before = track.snapshot;
    track = next;
    arm(tracks.deadline(track));
    if (track.snapshot !== before) {
      tell(listeners);
    }
  };
  const fire = () => {
    timerAt = Infinity;
    become(tracks.timedOut(track, Date.now()));
  };
  const acted = (step: (track: tracks.Track, now: number) => tracks.Track) => {
    const next = step(track, Date.now());
    const isToBeWritten = tracks.isToBeWritten(next);
    become(isToBeWritten ? tracks.written(next, load(KEY)) : next);
    if (isToBeWritten) {
      save(KEY, JSON.stringify(track.record));
    }
  };
  const noticed = () => {
    const isNews = Math.abs(Date.now() - track.activeAt) >= NOTICED_EVERY;
    if (!document.hidden && (isNews || track.snapshot.idleSince !== null)) {
      acted(tracks.active);
    }
  };

  if (isPage) {
    save(KEY, JSON.stringify(track.record));
    ends = [
      watchNavigation(() => become(tracks.navigated(track, pageNow(), Date.now()))),
      ...ACTIVITY.map((type) => listen(window, type, noticed)),
      listen(document, 'visibilitychange', () =>
        document.hidden ? become(tracks.hidden(track, Date.now())) : acted(tracks.shown),
      ),
      // The focus of fields in the page can only be captured here.
      listen(window, 'focus', () => document.hidden || acted(tracks.focused), false),
      listen(window, 'storage', (event) => {
        if ((event as StorageEvent).key === KEY) {
          become(tracks.recorded(track, load(KEY), Date.now()));
        }
      }),
    ];
    arm(tracks.deadline(track));
  }

  return {
    subscribe(listener) {
      // A wrapper of its own, so that one function may subscribe twice.
      const entry = () => listener();
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
    getSnapshot: () => track.snapshot,
    close() {
      listeners.clear();
      ends.splice(0).forEach((end) => end());
      arm(Infinity);
    },
  };
}

function pageNow(): tracks.Page {
  return { url: location.href, title: document.title };
}
