/** One visitor in the table. */
import type { OnlineUser } from '@amoiq/chat-widget';
import { Elapsed, pageAddress, VisitorAvatar, visitorName } from '@amoiq/chat-widget/react';
import { memo } from 'react';

/** Pixels: all rows are as high. */
export const ROW = 56;

interface VisitorRowProps {
  /** Undefined until it is loaded. */
  user: OnlineUser | undefined;
  index: number;
  top: number;
  isAtCursor: boolean;
  isOpen: boolean;
  onOpen: (user: OnlineUser, index: number) => void;
}

/** A name for the element: ids of users may be any text. */
export const rowId = (userId: string): string => `visitor-${encodeURIComponent(userId)}`;

export const VisitorRow = memo(
  function VisitorRow({ user, index, top, isAtCursor, isOpen, onOpen }: VisitorRowProps) {
    return (
      <div
        role="row"
        id={user && rowId(user.userId)}
        className="cells row"
        aria-rowindex={index + 2}
        aria-selected={isAtCursor}
        data-open={isOpen}
        aria-busy={user === undefined}
        style={{ transform: `translateY(${top}px)` }}
        onClick={() => user && onOpen(user, index)}
      >
        {user ? <Cells user={user} /> : <span className="bone" role="gridcell" aria-label="Loading" />}
      </div>
    );
  },
  // `onOpen` does the same whichever it is.
  (one, other) =>
    one.user === other.user &&
    one.index === other.index &&
    one.top === other.top &&
    one.isAtCursor === other.isAtCursor &&
    one.isOpen === other.isOpen,
);

function Cells({ user }: { user: OnlineUser }) {
  const { userId, visits, tabs = 1, startedAt, connectedAt } = user;
  return (
    <>
      <div role="gridcell" className="cell-visitor">
        <VisitorAvatar userId={userId} />
        <span className="two-lines">
          <span dir="auto" title={userId}>
            {visitorName(userId)}
          </span>
          {visits !== undefined && <small>{visits > 1 ? 'Returning' : 'New'}</small>}
        </span>
      </div>
      <div role="gridcell" className="cell-page">
        <Page user={user} />
      </div>
      <div role="gridcell" className="cell-stay">
        <Elapsed since={startedAt ?? connectedAt} />
      </div>
      <div role="gridcell" className="cell-visits" data-several={visits !== undefined && visits > 1}>
        {visits ?? '–'}
      </div>
      <div role="gridcell" className="cell-tabs" data-several={tabs > 1}>
        {tabs}
      </div>
      <div role="gridcell" className="cell-state">
        <State user={user} />
      </div>
    </>
  );
}

/** Text only: a row is there to be clicked, and the address can be followed from the conversation. */
function Page({ user: { title, url, domain = '' } }: { user: OnlineUser }) {
  const { host, path } = pageAddress(url);
  return (
    <span className="two-lines" title={url}>
      <span dir="auto">{title || path || '–'}</span>
      <small>{`${host || domain}${path}`}</small>
    </span>
  );
}

/** Whose page does not tell what they do is just there. */
function State({ user: { idleSince, startedAt } }: { user: OnlineUser }) {
  if (idleSince) {
    return (
      <span className="state" data-state="idle">
        Idle <Elapsed since={idleSince} />
      </span>
    );
  }
  return (
    <span className="state" data-state={startedAt ? 'active' : 'unknown'}>
      {startedAt ? 'Active' : 'Online'}
    </span>
  );
}
