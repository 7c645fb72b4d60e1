/** What went wrong, in words for the one who looks at the page, and a way to try again. */
import type { ChatError, ChatErrorCode } from '@amoiq/chat-widget';
import { useState } from 'react';

/** What the code means to the one who looks at this page. Other codes speak for themselves. */
const SENTENCES: Partial<Record<ChatErrorCode, string>> = {
  NETWORK_ERROR: 'The chat server cannot be reached.',
  TIMEOUT: 'The chat server does not answer.',
  UNAVAILABLE: 'The chat server is starting or under repair.',
  SHUTTING_DOWN: 'The chat server is restarting.',
  INVALID_API_KEY: 'This dashboard is not allowed to see the list. Sign in again.',
  TOKEN_EXPIRED: 'Your session has ended. Sign in again.',
  UNKNOWN_TENANT: 'There is no such shop on this chat server.',
};

/** What went wrong, in a sentence. */
export const sentence = ({ code, message }: ChatError): string => SENTENCES[code] ?? message;

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
