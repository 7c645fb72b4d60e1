/** The public shapes of a live view, and what passes between the store and the lazily loaded part. */
import type { CoreFallback } from '../config.js';
import type { ChatError } from '../errors.js';
import type { OnlineUser } from '../types.js';

/**
 * What the rows of a view can be sorted by: earlier before later, fewer before more, and texts by code point. A row
 * without a text is sorted as if it were empty; without `startedAt` by `connectedAt`, without `visits` as 0, and without
 * `tabs` as 1. Who is not idle comes after all who are.
 */
export type OnlineUsersSortField =
  | 'connectedAt'
  | 'userId'
  | 'domain'
  | 'url'
  | 'title'
  | 'startedAt'
  | 'idleSince'
  | 'visits'
  | 'tabs';

/** What the rows of a view can be grouped by. */
export type OnlineUsersGroupField = 'url' | 'domain';

/** What a field of a row must be; with several, all of them. What is left out or empty does not matter. */
export interface OnlineUsersFilter {
  /** What `domain` is. */
  domain?: string | undefined;
  /** What `origin` is. */
  origin?: string | undefined;
  /** What `url` is. */
  url?: string | undefined;
  /** What `url` begins with. */
  urlPrefix?: string | undefined;
  /** Whether the visitor is known to be idle. */
  idle?: boolean | undefined;
  /** Whether the visitor is known to have visited before. */
  returning?: boolean | undefined;
}

/** What a view shows. Upper and lower case make no difference anywhere. */
export interface OnlineUsersQuery {
  /** Which rows count at all. Default: every row. */
  filter?: OnlineUsersFilter | undefined;
  /** Words, separated by spaces, each of which must occur in the user's id, domain, origin, url or title. */
  search?: string | undefined;
  /** Equal ones are in the order in which they came. Default: `arrival`, the newest last. */
  sort?:
    | 'arrival'
    | OnlineUsersSortField
    | {
        /** What to sort by. */
        field: OnlineUsersSortField;
        /** Default: `asc`. */
        direction?: 'asc' | 'desc' | undefined;
      }
    | undefined;
  /** What to count the rows by, in the window or not. Default: nothing. */
  group?: OnlineUsersGroupField | undefined;
  /** How many to skip. Default: 0. */
  offset?: number | undefined;
  /** How many to show at most. Default: 50. */
  limit?: number | undefined;
}

/** How many rows have the same value in the field that the query groups by. */
export interface OnlineUsersGroup {
  /** What they have, as one of them has it; empty for those who have nothing there. */
  readonly value: string;
  /** How many they are. */
  readonly count: number;
}

/** What a view shows at one moment. It never changes: something new is a new snapshot. */
export interface OnlineUsersViewSnapshot {
  /** The rows of the window. The same array until one of them changes. */
  readonly users: readonly OnlineUser[];
  /** How many rows come before `users`. */
  readonly offset: number;
  /** How many rows there are, in the window or not. */
  readonly total: number;
  /** The 200 largest groups, the largest first, equal ones by their value. The same array until one of them changes. */
  readonly groups: readonly OnlineUsersGroup[];
  /** How many groups there are; 0 if the query asks for none. */
  readonly groupTotal: number;
  /** What is shown answers an earlier query, or none; the answer to the present one is on its way. */
  readonly isLoading: boolean;
  /** Why this may be out of date; null while all is well. */
  readonly error: ChatError | null;
}

/** What a view shows before anything is known. */
export const NOTHING: OnlineUsersViewSnapshot = {
  users: [],
  offset: 0,
  total: 0,
  groups: [],
  groupTotal: 0,
  isLoading: true,
  error: null,
};

/** A window on the sorted and filtered list, which follows the list. */
export interface OnlineUsersView {
  /** Calls `listener` after each visible change; the result unsubscribes. The view works while it has subscribers. */
  readonly subscribe: (listener: () => void) => () => void;
  /** The same object until something in it changes. */
  readonly getSnapshot: () => OnlineUsersViewSnapshot;
  /** What a server renders. */
  readonly getServerSnapshot: () => OnlineUsersViewSnapshot;
  /** Asks for something else: scrolls, searches, sorts. What is left out is as if it had never been given. */
  readonly update: (query: OnlineUsersQuery) => void;
  /** Drops all subscribers. */
  readonly close: () => void;
}

/** Rows by slot. A lower slot came earlier. */
export interface ViewRows {
  /** Undefined where there is nobody. */
  readonly rows: readonly (OnlineUser | undefined)[];
  /** Set to an array, it collects the slots that change. */
  dirty: number[] | null;
  /** Another number whenever slots have been renumbered. */
  readonly generation: number;
}

/** The same by user. */
export interface UserRows extends ViewRows {
  readonly slots: ReadonlyMap<string, number>;
  /** All rows in order of arrival. Who has looked at them is told when they change. */
  users(): readonly OnlineUser[];
}

/** What a store knows at the moment. */
export interface Now {
  /** Undefined until there can be any. */
  readonly rows: UserRows | undefined;
  readonly isLoading: boolean;
  readonly error: ChatError | null;
}

/** A store's rows, followed. */
export interface Followed {
  now(): Now;
  release(): void;
}

/** Where a view's rows come from. */
export interface ViewSource {
  /** Calls `changed` when rows or state may have changed, at the pace of the store. */
  follow(changed: () => void): Followed;
}

/** What a view wants to see; false while nobody listens to it. */
export type Ask = (query: OnlineUsersQuery | false) => void;

/** How the lazily loaded part takes over a view. */
export type Attach = (
  source: ViewSource,
  show: (next: OnlineUsersViewSnapshot) => void,
  /** Given, since a copy of it would make errors that are no `ChatError` to others. */
  unavailable: (cause: unknown) => ChatError,
  withoutWasm: WithoutWasm,
) => Ask;

/** Loads what runs where WebAssembly does not; rejects with the `cause` where there is no such thing. */
export type WithoutWasm = (cause: unknown) => Promise<CoreFallback>;
