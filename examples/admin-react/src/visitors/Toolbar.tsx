/** Search and filters. `/` goes to the search from anywhere that is not written in; Escape empties it, and then goes back to the list. */
import type { OnlineUsersGroup } from '@amoiq/chat-widget';
import { pageAddress } from '@amoiq/chat-widget/react';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import type { Acquaintance, Activity, Look } from './look';

interface ToolbarProps {
  look: Look;
  change: (look: Look) => void;
  domains: readonly OnlineUsersGroup[];
  byPage: boolean;
  showByPage: (byPage: boolean) => void;
}

const ACTIVITIES: readonly (readonly [Activity, string])[] = [
  ['all', 'Any state'],
  ['active', 'Active'],
  ['idle', 'Idle'],
];
const ACQUAINTANCES: readonly (readonly [Acquaintance, string])[] = [
  ['all', 'Any visit'],
  ['new', 'New'],
  ['returning', 'Returning'],
];

export function Toolbar({ look, change, domains, byPage, showByPage }: ToolbarProps) {
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key === '/' && !isWritten(event.target)) {
        event.preventDefault();
        search.current?.focus();
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && look.search) {
      event.preventDefault();
      change({ ...look, search: '' });
    } else if (event.key === 'Escape' || event.key === 'ArrowDown') {
      event.preventDefault();
      document.querySelector<HTMLElement>('[role=grid]')?.focus();
    }
  };

  return (
    <div className="toolbar" role="search" aria-label="Visitors">
      <div className="search">
        <input
          ref={search}
          type="search"
          aria-label="Search visitors"
          aria-keyshortcuts="/"
          placeholder="Search name, page, title"
          value={look.search}
          onChange={(event) => change({ ...look, search: event.target.value })}
          onKeyDown={onKeyDown}
        />
        <kbd aria-hidden="true">/</kbd>
      </div>
      <div className="filters">
        <Choice
          name="State"
          value={look.activity}
          options={ACTIVITIES}
          choose={(activity) => change({ ...look, activity })}
        />
        <Choice
          name="Visits"
          value={look.acquaintance}
          options={ACQUAINTANCES}
          choose={(acquaintance) => change({ ...look, acquaintance })}
        />
        {(domains.length > 1 || look.domain !== '') && (
          <Choice
            name="Domain"
            value={look.domain}
            options={domainOptions(domains, look.domain)}
            choose={(domain) => change({ ...look, domain })}
          />
        )}
        <button type="button" className="chip" aria-pressed={byPage} onClick={() => showByPage(!byPage)}>
          By page
        </button>
        {look.page !== '' && (
          <button
            type="button"
            className="chip chosen"
            aria-label={`Not only ${look.page}`}
            onClick={() => change({ ...look, page: '' })}
          >
            {pageAddress(look.page).path} <span aria-hidden="true">×</span>
          </button>
        )}
      </div>
    </div>
  );
}

interface ChoiceProps<T extends string> {
  name: string;
  value: T;
  options: readonly (readonly [T, string])[];
  choose: (value: T) => void;
}

function Choice<T extends string>({ name, value, options, choose }: ChoiceProps<T>) {
  const chosen = options.findIndex(([one]) => one === value);
  return (
    <select
      className="chip"
      aria-label={name}
      data-chosen={chosen > 0}
      value={chosen}
      onChange={(event) => {
        const [next] = options[Number(event.target.value)] ?? [];
        if (next !== undefined) {
          choose(next);
        }
      }}
    >
      {options.map(([one, label], index) => (
        <option key={one} value={index}>
          {label}
        </option>
      ))}
    </select>
  );
}

/** The one that is chosen stays among them, though nobody is there at the moment. */
function domainOptions(domains: readonly OnlineUsersGroup[], chosen: string): (readonly [string, string])[] {
  const found = domains
    .filter(({ value }) => value !== '')
    .map(({ value, count }) => [value, `${value} (${count.toLocaleString()})`] as const);
  const isThere = chosen === '' || found.some(([value]) => value === chosen);
  return [['', 'Any domain'], ...found, ...(isThere ? [] : [[chosen, `${chosen} (0)`] as const])];
}

function isWritten(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
}
