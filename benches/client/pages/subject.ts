/** What is measured: something that is fed frames and shows rows. */

export interface OnlineUser {
  userId: string;
  sessionId?: string;
  connectedAt: string;
  domain?: string;
  origin?: string;
  url?: string;
}

export interface Subject {
  /** Ready for a list when it resolves. */
  open(): Promise<void>;
  deliver(frame: string): void;
  /** What a component that renders now would be given. */
  snapshot(): readonly OnlineUser[];
  close(): void;
  /** Understands `presence_delta`; to be asked after `open`. */
  readonly deltas: boolean;
  /** Applies an event that has been parsed, where that can be separated. */
  readonly apply?: (name: string, payload: unknown) => void;
}

/** The event in a frame: what all of JavaScript's sides do first. */
export function parse(frame: string): [name: string, payload: unknown] {
  return JSON.parse(frame.slice(2)) as [string, unknown];
}
