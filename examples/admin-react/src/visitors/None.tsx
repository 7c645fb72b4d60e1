/** What stands in place of rows where there are none: not yet, nobody, or nobody like that. Nothing after a refusal, which is said above. */
import type { ChatError } from '@amoiq/chat-widget';
import { isRefusal } from '../Problem';

interface NoneProps {
  isLoading: boolean;
  error: ChatError | null;
  widen: (() => void) | undefined;
}

export function None({ isLoading, error, widen }: NoneProps) {
  if (isLoading) {
    return (
      <div className="none" role="status">
        <span className="hidden">Loading…</span>
        {[0, 1, 2, 3, 4, 5].map((row) => (
          <span key={row} className="bone" />
        ))}
      </div>
    );
  }
  if (error && isRefusal(error)) {
    return null;
  }
  if (error) {
    // Why is said above.
    return (
      <div className="none">
        <p className="title">No list yet</p>
        <p>It appears as soon as the server answers.</p>
      </div>
    );
  }
  return (
    <div className="none" role="status">
      <svg viewBox="0 0 48 48" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="2">
        <circle cx="24" cy="18" r="7" />
        <path d="M10 40c1.5-8 7-12 14-12s12.5 4 14 12" strokeLinecap="round" />
      </svg>
      <p className="title">{widen ? 'Nobody like that is here' : 'Nobody is here right now'}</p>
      {widen ? (
        <button type="button" className="acw-button" onClick={widen}>
          Show everybody
        </button>
      ) : (
        <p>Visitors appear the moment they open a page with the widget.</p>
      )}
    </div>
  );
}
