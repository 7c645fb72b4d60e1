/** Visitors or conversations. Arrow keys go from one to the other, as in any set of tabs. */
import type { KeyboardEvent } from 'react';

export type Tab = 'visitors' | 'conversations';

const TABS: readonly { readonly tab: Tab; readonly name: string }[] = [
  { tab: 'visitors', name: 'Visitors' },
  { tab: 'conversations', name: 'Conversations' },
];

export function Tabs({ tab, show, waiting }: { tab: Tab; show: (tab: Tab) => void; waiting: string }) {
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      const other = tab === 'visitors' ? 'conversations' : 'visitors';
      show(other);
      document.getElementById(`tab-${other}`)?.focus();
    }
  };
  return (
    <div className="tabs" role="tablist" aria-label="What to see" onKeyDown={onKeyDown}>
      {TABS.map((one) => (
        <button
          key={one.tab}
          type="button"
          role="tab"
          id={`tab-${one.tab}`}
          aria-controls={`panel-${one.tab}`}
          aria-selected={tab === one.tab}
          tabIndex={tab === one.tab ? 0 : -1}
          onClick={() => show(one.tab)}
        >
          {one.name}
          {one.tab === 'conversations' && waiting && (
            <span className="badge" aria-label={`, ${waiting} waiting for an answer`}>
              {waiting}
            </span>
          )}
        </button>
      ))}
    </div>
  );
}
