/**
 * Keeps rows where they are on the screen when others come and go: those under the pointer, or at the keyboard's cursor, or, in
 * a list that is scrolled, the first in sight. At the top of the list and untouched, it is the newcomers that one wants to see.
 */
import type { OnlineUsersQuery } from '@amoiq/chat-widget';
import { type PointerEvent, type RefObject, type UIEvent, useLayoutEffect, useRef } from 'react';
import { type Cursor, followed, type Part } from './cursor';
import { drift } from './drift';

interface Held {
  part: Part;
  /** Another query is another list: nothing in it is where it was. */
  query: OnlineUsersQuery;
  cursor: Cursor | null;
  /** Heights, in pixels. */
  head: number;
  row: number;
}

export function useHeldStill(grid: RefObject<HTMLDivElement | null>, held: Held) {
  const { part, query, cursor, head, row } = held;
  const before = useRef(part);
  const asked = useRef(query);
  /** The rows of another query are on their way. */
  const isAnother = useRef(false);
  /** How far the list was scrolled before it changed. */
  const place = useRef(0);
  /** Where the pointer is in the grid, from its top. */
  const pointer = useRef<number | null>(null);

  useLayoutEffect(() => {
    const [element, last] = [grid.current, before.current];
    before.current = part;
    if (element && asked.current !== query) {
      asked.current = query;
      isAnother.current = true;
      element.scrollTop = 0;
    }
    if (!element || last.users === part.users) {
      return;
    }
    if (isAnother.current) {
      isAnother.current = false;
      return;
    }
    const scrollTop = placeBefore(element, place.current);
    const rowAt = (y: number) => Math.max(0, Math.floor((scrollTop + y - head) / row));
    // Where it was: by now it may have followed its user.
    const focused = document.activeElement === element ? followed(cursor, last)?.index : undefined;
    const anchor =
      pointer.current !== null ? rowAt(pointer.current) : (focused ?? (scrollTop > 0 ? rowAt(head) : undefined));
    if (anchor !== undefined) {
      const moved = drift(last, part, anchor);
      element.scrollTop = scrollTop + moved * row;
    }
    place.current = element.scrollTop;
  }, [part, query]);

  return {
    onScroll: (event: UIEvent<HTMLElement>) => {
      place.current = event.currentTarget.scrollTop;
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      pointer.current = event.clientY - event.currentTarget.getBoundingClientRect().top;
    },
    onPointerLeave: () => {
      pointer.current = null;
    },
  };
}

/** At its end a list that has become shorter has been moved by the browser already, which is part of what it is to be moved. */
function placeBefore({ scrollTop, scrollHeight, clientHeight }: Element, known: number): number {
  return scrollTop >= scrollHeight - clientHeight - 1 ? Math.max(scrollTop, known) : scrollTop;
}
