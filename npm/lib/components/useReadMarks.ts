/**
 * What has been read, kept by the browser for the next time and told between its tabs. Where it keeps nothing, it is known as
 * long as the page lasts.
 */
import { useEffect, useState } from 'react';
import type { ConversationSummary } from '../shared.js';
import { type Marks, NOTHING_READ, read, together, understood, written } from './unread.js';

/** @param conversations Null as long as there is no list. */
export function useReadMarks(
  tenantId: string | null,
  conversations: readonly ConversationSummary[] | null,
  selected: string | null,
): Marks {
  const [before, setBefore] = useState(() => ({ tenantId, marks: kept(tenantId) }));
  const known = before.tenantId === tenantId ? before.marks : kept(tenantId);
  const marks = read(known, conversations, selected);
  if (before.tenantId !== tenantId || before.marks !== marks) {
    setBefore({ tenantId, marks });
  }
  useEffect(() => {
    if (tenantId !== null && marks !== NOTHING_READ) {
      keep(tenantId, marks);
    }
  }, [tenantId, marks]);
  useEffect(() => {
    const onStorage = ({ key, newValue }: StorageEvent) => {
      if (tenantId !== null && key === place(tenantId)) {
        setBefore((mine) => {
          const both = together(mine.marks, understood(newValue));
          return both === mine.marks ? mine : { ...mine, marks: both };
        });
      }
    };
    addEventListener('storage', onStorage);
    return () => removeEventListener('storage', onStorage);
  }, [tenantId]);
  return marks;
}

const place = (tenantId: string): string => `acw-read ${tenantId}`;

function kept(tenantId: string | null): Marks {
  try {
    return tenantId === null ? NOTHING_READ : understood(localStorage.getItem(place(tenantId)));
  } catch {
    return NOTHING_READ;
  }
}

function keep(tenantId: string, marks: Marks): void {
  try {
    localStorage.setItem(place(tenantId), written(together(marks, kept(tenantId))));
  } catch {
    // It lasts as long as the page.
  }
}
