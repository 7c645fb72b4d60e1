/** Everybody who is on the site, as one wants to see them. */
import type { OnlineUser } from '@amoiq/chat-widget';
import { useOnlineUsersView } from '@amoiq/chat-widget/react';
import { memo, useDeferredValue, useMemo, useState } from 'react';
import { AT_FIRST, isNarrowed, pagesOf, queryOf, widened } from './look';
import { PageGroups } from './PageGroups';
import { Toolbar } from './Toolbar';
import { VisitorGrid } from './VisitorGrid';

interface VisitorsPanelProps {
  tenantId: string;
  /** The user whose conversation is open. */
  open: string | null;
  onOpen: (user: OnlineUser) => void;
}

export const VisitorsPanel = memo(function VisitorsPanel({ tenantId, open, onOpen }: VisitorsPanelProps) {
  const [look, setLook] = useState(AT_FIRST);
  const [byPage, setByPage] = useState(false);
  // Typing is never held up by the list.
  const shown = useDeferredValue(look);
  const query = useMemo(() => queryOf(shown), [shown]);
  const { groups: domains } = useOnlineUsersView(tenantId, { group: 'domain', limit: 0 });
  const { groups: pages, groupTotal } = useOnlineUsersView(byPage ? tenantId : null, pagesOf(shown));

  return (
    <div className="visitors" data-by-page={byPage}>
      <Toolbar look={look} change={setLook} domains={domains} byPage={byPage} showByPage={setByPage} />
      <div className="visitors-body">
        {byPage && (
          <PageGroups
            pages={pages}
            total={groupTotal}
            chosen={look.page}
            choose={(page) => setLook({ ...look, page })}
          />
        )}
        <VisitorGrid
          tenantId={tenantId}
          query={query}
          sort={look.sort}
          change={setLook}
          open={open}
          onOpen={onOpen}
          widen={isNarrowed(look) ? () => setLook(widened(look)) : undefined}
        />
      </div>
    </div>
  );
});
