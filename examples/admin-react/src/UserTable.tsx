import type { OnlineUser } from '@amoiq/chat-widget';
import { memo, useSyncExternalStore } from 'react';

/** More rows than anyone reads; the count above says how many there are. */
const MOST_ROWS = 200;

export function UserTable({ users }: { users: OnlineUser[] }) {
  const shown = users.slice(0, MOST_ROWS);
  return (
    <>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Visitor</th>
              <th scope="col">Page</th>
              <th scope="col" className="number">
                Online for
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((user) => (
              <UserRow key={user.userId} user={user} />
            ))}
          </tbody>
        </table>
      </div>
      {users.length > shown.length && (
        <p className="more">and {(users.length - shown.length).toLocaleString()} more</p>
      )}
    </>
  );
}

const UserRow = memo(function UserRow({ user }: { user: OnlineUser }) {
  return (
    <tr>
      <td>
        <span className="visitor">
          <span className="avatar" aria-hidden="true" style={{ '--hue': hue(user.userId) } as React.CSSProperties}>
            {initial(user.userId)}
          </span>
          <span className="name" title={user.userId}>
            {name(user.userId)}
          </span>
        </span>
      </td>
      <td className="where">
        <span>{user.domain ?? '–'}</span>
        <Path url={user.url} />
      </td>
      <td className="number">
        <OnlineFor since={user.connectedAt} />
      </td>
    </tr>
  );
});

/** A page's address comes from the visitor's browser: shown as text, and linked only if it is one. */
function Path({ url }: { url: string | undefined }) {
  if (!url || !URL.canParse(url)) {
    return null;
  }
  const { protocol, pathname, search } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') {
    return null;
  }
  return (
    <a href={url} target="_blank" rel="noreferrer noopener" title={url}>
      {pathname + search}
    </a>
  );
}

function OnlineFor({ since }: { since: string }) {
  const now = useSyncExternalStore(everySecond, currentSecond);
  const from = Date.parse(since);
  if (Number.isNaN(from)) {
    return <>–</>;
  }
  return <time dateTime={since}>{duration(Math.max(0, now - Math.floor(from / 1000)))}</time>;
}

/** One clock for all rows. */
const watchers = new Set<() => void>();
let clock: ReturnType<typeof setInterval> | undefined;

function everySecond(tick: () => void): () => void {
  watchers.add(tick);
  clock ??= setInterval(() => watchers.forEach((watcher) => watcher()), 1000);
  return () => {
    watchers.delete(tick);
    if (watchers.size === 0) {
      clearInterval(clock);
      clock = undefined;
    }
  };
}

function currentSecond(): number {
  return Math.floor(Date.now() / 1000);
}

function duration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
}

const ANONYMOUS = 'anonymous-';

function name(userId: string): string {
  return userId.startsWith(ANONYMOUS)
    ? `Visitor ${userId.slice(ANONYMOUS.length, ANONYMOUS.length + 6)}`
    : userId;
}

function initial(userId: string): string {
  return (userId.startsWith(ANONYMOUS) ? 'V' : (userId[0] ?? '?')).toUpperCase();
}

function hue(userId: string): number {
  let sum = 0;
  for (const character of userId) {
    sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 360;
  }
  return sum;
}
