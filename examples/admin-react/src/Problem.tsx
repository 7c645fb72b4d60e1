/** What went wrong, in words for the one who looks at the page, and a way to try again. */
import type { ChatError, ChatErrorCode } from '@amoiq/chat-widget';
import { useState } from 'react';

/** What the code means to the one who looks at this page. Other codes speak for themselves. */
const DIFFICULTIES: Partial<Record<ChatErrorCode, string>> = {
  NETWORK_ERROR: 'The chat server cannot be reached.',
  TIMEOUT: 'The chat server does not answer.',
  UNAVAILABLE: 'The chat server is starting or under repair.',
  SHUTTING_DOWN: 'The chat server is restarting.',
};

/** The same where waiting does not help, and what does. */
const REFUSALS: Partial<Record<ChatErrorCode, string>> = {
  CREDENTIAL_REQUIRED: 'Nobody is signed in to this dashboard. Sign in.',
  INVALID_API_KEY: 'This dashboard is not allowed to see the list. Sign in again.',
  INVALID_TOKEN: 'Your session is not valid. Sign in again.',
  TOKEN_EXPIRED: 'Your session has ended. Sign in again.',
  ADMIN_REQUIRED: 'Visitors are shown to staff only. Sign in as a member of the staff.',
  WRONG_TENANT: 'You are signed in to another shop. Sign in to this one.',
  ORIGIN_NOT_ALLOWED: 'The chat server takes no dashboard at this address. Ask whoever runs it to allow it.',
  UNKNOWN_TENANT: 'There is no such shop on this chat server. Check its name in the address.',
};

/** What went wrong, in a sentence. */
export const sentence = ({ code, message }: ChatError): string => DIFFICULTIES[code] ?? REFUSALS[code] ?? message;

/** Whether it stays so until somebody does something about it. */
export const isRefusal = ({ code }: ChatError): boolean => Object.hasOwn(REFUSALS, code);

/** The same for the components, which say failures of their own. */
export const TEXTS = { problem: sentence } as const;

interface ProblemProps {
  error: ChatError;
  /** There is a list, of earlier. */
  stale: boolean;
  retry: () => Promise<void>;
}

export function Problem({ error, stale, retry }: ProblemProps) {
  const [asking, setAsking] = useState(false);
  const again = async () => {
    setAsking(true);
    await retry();
    setAsking(false);
  };
  return (
    <div className="problem" role="alert">
      <p>
        <strong>{sentence(error)}</strong>{' '}
        {stale && 'The list below may be out of date. '}
        <code>{error.code}</code>
      </p>
      <button type="button" className="acw-button" onClick={again} disabled={asking}>
        Try again
      </button>
    </div>
  );
}
