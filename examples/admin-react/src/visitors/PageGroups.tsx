/** On which pages they are, the most visited first. A click shows who is on one of them, another click everybody again. */
import type { OnlineUsersGroup } from '@amoiq/chat-widget';
import { pageAddress } from '@amoiq/chat-widget/react';
import type { CSSProperties } from 'react';

interface PageGroupsProps {
  pages: readonly OnlineUsersGroup[];
  /** How many pages there are, here or not. */
  total: number;
  chosen: string;
  choose: (page: string) => void;
}

export function PageGroups({ pages, total, chosen, choose }: PageGroupsProps) {
  const most = pages[0]?.count ?? 1;
  return (
    <section className="pages" aria-label="By page">
      <ul>
        {pages.map(({ value, count }) => (
          <li key={value}>
            <button
              type="button"
              aria-pressed={value !== '' && value === chosen}
              // Whoever tells of no page can be counted, but not asked for.
              disabled={value === ''}
              title={value}
              style={{ '--share': count / most } as CSSProperties}
              onClick={() => choose(value === chosen ? '' : value)}
            >
              <Name url={value} />
              <span className="page-count">{count.toLocaleString()}</span>
            </button>
          </li>
        ))}
      </ul>
      {total > pages.length && (
        <p>{(total - pages.length).toLocaleString()} more pages; search to find them.</p>
      )}
    </section>
  );
}

function Name({ url }: { url: string }) {
  const { host, path } = pageAddress(url);
  return (
    <span className="page-name">
      <span>{path || 'No page told'}</span>
      {host && <small>{host}</small>}
    </span>
  );
}
