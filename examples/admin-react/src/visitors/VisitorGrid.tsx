/**
 * The table of visitors, of which only the rows in sight exist.
 *
 * - Rows are the view's: it is asked for a window a little larger than what is in sight, in steps, so that scrolling rarely
 *   asks. Until an answer is there, a row is blank.
 * - The focus stays on the grid, and `aria-activedescendant` says at which row the keyboard is: rows come and go, and would
 *   take the focus with them.
 * - What is under the pointer or the cursor stays there when others come and go (`drift.ts`).
 */
import type { OnlineUser, OnlineUsersQuery } from '@amoiq/chat-widget';
import { useOnlineUsersView } from '@amoiq/chat-widget/react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type Dispatch, type KeyboardEvent, type SetStateAction, useRef, useState } from 'react';
import { type Cursor, type Kept, kept, placed, target } from './cursor';
import { Head } from './Head';
import { type Look, sortedBy } from './look';
import { None } from './None';
import { useHeldStill } from './useHeldStill';
import { ROW, rowId, VisitorRow } from './VisitorRow';

/** Pixels of the head, under which rows pass. */
const HEAD = 36;
/** The window begins and ends at multiples of it. */
const STEP = 20;

interface VisitorGridProps {
  tenantId: string;
  query: OnlineUsersQuery;
  sort: Look['sort'];
  change: Dispatch<SetStateAction<Look>>;
  open: string | null;
  onOpen: (user: OnlineUser) => void;
  /** Shows everybody again; undefined if everybody is shown. */
  widen: (() => void) | undefined;
}

export function VisitorGrid({ tenantId, query, sort, change, open, onOpen, widen }: VisitorGridProps) {
  const [range, setRange] = useState({ offset: 0, limit: 2 * STEP });
  const view = useOnlineUsersView(tenantId, { ...query, ...range });
  const { users, offset, total } = view;
  const grid = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: total,
    getScrollElement: () => grid.current,
    estimateSize: () => ROW,
    overscan: 6,
    scrollMargin: HEAD,
    scrollPaddingStart: HEAD,
  });
  const items = virtual.getVirtualItems();
  const wanted = windowOf(items[0]?.index ?? 0, items.at(-1)?.index ?? 0);
  if (wanted.offset !== range.offset || wanted.limit !== range.limit) {
    setRange(wanted);
  }

  const [last, setLast] = useState<Kept>({ cursor: null, part: view, query, isAnother: false });
  const now = kept(last, view, query);
  if (now !== last) {
    setLast(now);
  }
  const { cursor } = now;
  const move = (cursor: Cursor) => setLast((last) => ({ ...last, cursor }));
  const pointer = useHeldStill(grid, { part: view, query, cursor, head: HEAD, row: ROW });

  const openRow = (user: OnlineUser, index: number) => {
    move({ index, userId: user.userId });
    onOpen(user);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) {
      return;
    }
    const page = Math.max(1, Math.floor((event.currentTarget.clientHeight - HEAD) / ROW) - 1);
    const to = target(event.key, cursor, { total, page });
    const user = cursor && users[cursor.index - offset];
    if (to !== undefined) {
      event.preventDefault();
      move(placed(to, view));
      virtual.scrollToIndex(to, { align: 'auto' });
    } else if (event.key === 'Enter' && user) {
      event.preventDefault();
      onOpen(user);
    }
  };
  const isInSight = items.some(({ index }) => users[index - offset]?.userId === cursor?.userId);
  return (
    <div className="grid-frame">
      <div
        ref={grid}
        className="grid"
        role="grid"
        aria-label="Visitors"
        aria-rowcount={total + 1}
        aria-busy={view.isLoading}
        aria-activedescendant={cursor?.userId && isInSight ? rowId(cursor.userId) : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        {...pointer}
      >
        <Head sort={sort} by={(column) => change((look) => sortedBy(look, column))} />
        <div className="rows" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, start }) => {
            const user = users[index - offset];
            return (
              <VisitorRow
                key={user?.userId ?? index}
                user={user}
                index={index}
                top={start - HEAD}
                isAtCursor={user !== undefined && user.userId === cursor?.userId}
                isOpen={user !== undefined && user.userId === open}
                onOpen={openRow}
              />
            );
          })}
        </div>
      </div>
      {total === 0 && <None isLoading={view.isLoading} error={view.error} widen={widen} />}
      {widen && total > 0 && <Matches total={total} widen={widen} />}
    </div>
  );
}

function Matches({ total, widen }: { total: number; widen: () => void }) {
  return (
    <div className="matches" role="status">
      <span>{total === 1 ? '1 visitor like that' : `${total.toLocaleString()} visitors like that`}</span>
      <button type="button" className="acw-button" onClick={widen}>
        Show everybody
      </button>
    </div>
  );
}

/** A window around what is in sight, which stays the same for a while as that moves. */
function windowOf(first: number, last: number): { offset: number; limit: number } {
  const offset = Math.max(0, Math.floor(first / STEP) - 1) * STEP;
  const end = (Math.floor(last / STEP) + 2) * STEP;
  return { offset, limit: end - offset };
}
