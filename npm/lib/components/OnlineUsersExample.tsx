/**
 * The reference component: who is online, with everything a list of people needs and nothing else. Made to be read and
 * copied; the hooks do the work.
 */
import { useState } from 'react';
import { useOnlineUsers } from '../hooks/useOnlineUsers.js';
import { useOnlineUsersView } from '../hooks/useOnlineUsersView.js';
import type { ChatError } from '../shared.js';
import { classes } from './classes.js';
import { ConnectionStatus } from './ConnectionStatus.js';
import { Elapsed } from './Elapsed.js';
import { pageAddress, visitorName } from './people.js';
import { VisitorAvatar } from './VisitorAvatar.js';

/** The words of the component. */
export interface OnlineUsersExampleTexts {
  /** Above all of it. */
  title: string;
  /** How many are online. */
  count: (users: number) => string;
  /** Asks for the list. */
  refresh: string;
  /** What went wrong, by its `code`. Default: what the error says, in English. */
  problem: (error: ChatError) => string;
  /** Asks again after a failure. */
  retry: string;
  /** Before there is a list. */
  loading: string;
  /** What the field is for. */
  search: string;
  /** The list is empty. */
  nobody: string;
  /** Nobody is found. */
  noneFound: string;
  /** To the page before. */
  previous: string;
  /** To the next page. */
  next: string;
  /** Which rows the page has, from 1. */
  range: (from: number, to: number, total: number) => string;
}

/** Whose visitors, and how they are shown. */
export interface OnlineUsersExampleProps {
  /** Whose visitors; null while it is not known. */
  tenantId: string | null;
  /** How many to a page. Default: 20. */
  pageSize?: number | undefined;
  /** Other words than the English ones. */
  texts?: Partial<OnlineUsersExampleTexts> | undefined;
  /** A further class. */
  className?: string | undefined;
}

/** Who is online: count, connection, search, and pages of rows, which change as people come and go. */
export function OnlineUsersExample(props: OnlineUsersExampleProps) {
  const { tenantId, pageSize = 20, className } = props;
  const text = { ...ENGLISH, ...props.texts };
  const [search, setSearch] = useState('');
  const [page, setPage] = useState(0);
  const { onlineUsers, isLoading, error, refresh, connection } = useOnlineUsers(tenantId);
  const { users, offset, total, ...view } = useOnlineUsersView(tenantId, {
    search,
    sort: { field: 'connectedAt', direction: 'desc' },
    offset: page * pageSize,
    limit: pageSize,
  });
  const lastPage = Math.max(0, Math.ceil(total / pageSize) - 1);
  const problem = error ?? view.error;
  // People leave while somebody reads: what was the last page may be behind the end by now.
  if (page > lastPage && !view.isLoading) {
    setPage(lastPage);
  }

  return (
    <section className={classes('acw-online', className)} aria-busy={isLoading || view.isLoading}>
      <header className="acw-online-head">
        <h2 className="acw-title">{text.title}</h2>
        <p className="acw-online-count">{isLoading ? text.loading : text.count(onlineUsers.length)}</p>
        <ConnectionStatus connection={connection} />
        <button type="button" className="acw-button" onClick={refresh}>
          {text.refresh}
        </button>
      </header>

      {problem && (
        <div className="acw-problem" role="alert">
          <p>{text.problem(problem)}</p>
          <button type="button" className="acw-button" onClick={refresh}>
            {text.retry}
          </button>
        </div>
      )}

      <input
        type="search"
        className="acw-input"
        aria-label={text.search}
        placeholder={text.search}
        value={search}
        onChange={(event) => {
          setSearch(event.target.value);
          setPage(0);
        }}
      />

      {!isLoading && !problem && !view.isLoading && total === 0 && (
        <p className="acw-empty">{search ? text.noneFound : text.nobody}</p>
      )}
      <ul className="acw-online-list">
        {users.map((user) => (
          <li key={user.userId} className="acw-online-user">
            <VisitorAvatar userId={user.userId} />{' '}
            <span className="acw-name" dir="auto">
              {visitorName(user.userId)}
            </span>{' '}
            <span className="acw-page" dir="auto">
              {user.title || pageAddress(user.url).path || user.domain}
            </span>{' '}
            <Elapsed since={user.startedAt ?? user.connectedAt} />
          </li>
        ))}
      </ul>

      {total > pageSize && (
        <footer className="acw-pages">
          <button type="button" className="acw-button" disabled={page === 0} onClick={() => setPage(page - 1)}>
            {text.previous}
          </button>
          <span>{text.range(offset + 1, offset + users.length, total)}</span>
          <button
            type="button"
            className="acw-button"
            disabled={page >= lastPage}
            onClick={() => setPage(page + 1)}
          >
            {text.next}
          </button>
        </footer>
      )}
    </section>
  );
}

const ENGLISH: OnlineUsersExampleTexts = {
  title: 'Online users',
  count: (users) => (users === 1 ? '1 user online' : `${users.toLocaleString()} users online`),
  refresh: 'Refresh',
  problem: ({ message }) => message,
  retry: 'Try again',
  loading: 'Loading…',
  search: 'Search',
  nobody: 'Nobody is online right now.',
  noneFound: 'Nobody matches this search.',
  previous: 'Previous',
  next: 'Next',
  range: (from, to, total) => `${from}–${to} of ${total.toLocaleString()}`,
};
