/**
 * The desk: who is on the site, the conversations, and the one that is open.
 *
 * An open conversation stays open whatever happens to the lists beside it. On a narrow screen it takes their place until it
 * is closed.
 */
import type { ConversationSummary, OnlineUser } from '@amoiq/chat-widget';
import { ConversationList, ownerOf, useConversations, useOnlineUsers } from '@amoiq/chat-widget/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { Conversation } from './conversation/Conversation';
import { NothingOpen } from './conversation/NothingOpen';
import { Problem, TEXTS } from './Problem';
import { counted, isWaiting, useSound, useTitle } from './attention';
import { type Tab, Tabs } from './Tabs';
import { TopBar } from './TopBar';
import { useBack } from './useBack';
import { VisitorsPanel } from './visitors/VisitorsPanel';

/** Whose conversation is open. */
export interface Open {
  readonly userId: string;
  /** The session by which it was opened. */
  readonly sessionId: string;
}

export function Desk({ tenantId }: { tenantId: string }) {
  const { onlineUsers, isLoading, error, refresh: refreshUsers, connection } = useOnlineUsers(tenantId);
  const talks = useConversations(tenantId);
  const { conversations, hasMore, refresh: refreshTalks } = talks;
  const refresh = useCallback(async () => {
    await Promise.all([refreshUsers(), refreshTalks()]);
  }, [refreshUsers, refreshTalks]);
  const isLive = connection.state === 'live';
  useEffect(() => {
    // A server that is back for the one is back for the other, which would find it out later.
    if (isLive && !talks.isLoading && !talks.isConnected) {
      void refreshTalks();
    }
  }, [isLive]);
  const [tab, setTab] = useState<Tab>('visitors');
  const [open, setOpen] = useState<Open | null>(null);
  const lists = useRef<HTMLElement>(null);
  const waiting = counted(conversations.filter(isWaiting).length, hasMore);
  const sound = useSound(talks);
  useTitle(waiting);

  const openVisitor = useCallback(({ userId, sessionId }: OnlineUser) => {
    if (sessionId) {
      from.current = document.activeElement;
      setOpen({ userId, sessionId });
    }
  }, []);
  const openConversation = useCallback(({ userId, sessionId }: ConversationSummary) => {
    from.current = document.activeElement;
    setOpen({ userId, sessionId });
  }, []);
  const close = useCallback(() => setOpen(null), []);
  useBack(open !== null, close);
  /** Where the focus was when the conversation was opened. */
  const from = useRef<Element | null>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    if (wasOpen.current && !open) {
      goOn(lists.current, from.current);
    }
    wasOpen.current = open !== null;
  }, [open]);

  const count = onlineUsers.length;
  const isUnknown = isLoading || (error !== null && count === 0);
  const owner = open && ownerOf(open.userId, open.sessionId);
  const selected = conversations.find(({ userId, sessionId }) => ownerOf(userId, sessionId) === owner);
  return (
    <div className="desk" data-open={open !== null}>
      <TopBar
        tenantId={tenantId}
        count={isUnknown ? null : count}
        // Why it is not live stands in the alert already.
        connection={error ? { ...connection, error: null } : connection}
        sound={sound}
        refresh={refresh}
      />
      {error && <Problem error={error} stale={count > 0} retry={refresh} />}
      <main className="columns">
        {/* The page's, also where the bar with its name has no place. */}
        <h1 className="hidden">Desk</h1>
        <section className="lists" ref={lists} aria-label="Lists">
          <Tabs tab={tab} show={setTab} waiting={waiting} />
          {/* Both stay: what was searched, scrolled or read in one is there when it is shown again. */}
          <div
            role="tabpanel"
            id="panel-visitors"
            aria-labelledby="tab-visitors"
            hidden={tab !== 'visitors'}
            className="tab-panel"
          >
            <VisitorsPanel tenantId={tenantId} open={open?.userId ?? null} onOpen={openVisitor} />
          </div>
          <div
            role="tabpanel"
            id="panel-conversations"
            aria-labelledby="tab-conversations"
            hidden={tab !== 'conversations'}
            className="tab-panel"
          >
            <ConversationList
              tenantId={tenantId}
              selected={selected?.id}
              onSelect={openConversation}
              texts={TEXTS}
            />
          </div>
        </section>
        <section className="conversation" aria-label="Conversation">
          {open ? (
            <Conversation
              tenantId={tenantId}
              open={open}
              latest={selected?.sessionId}
              isListed={!isUnknown}
              onFollow={setOpen}
              onClose={close}
            />
          ) : (
            <NothingOpen />
          )}
        </section>
      </main>
    </div>
  );
}

/** Whoever closes a conversation goes on in the list that is shown: where they left it, if that is still there. */
function goOn(lists: HTMLElement | null, from: Element | null): void {
  const list = lists?.querySelector('[role=tabpanel]:not([hidden])');
  const place = from && list?.contains(from) ? from : list?.querySelector('[role=grid], .acw-conversation');
  if (place instanceof HTMLElement) {
    place.focus();
  }
}
