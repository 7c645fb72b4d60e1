/** What stands where a conversation will. */
export function NothingOpen() {
  return (
    <div className="nothing-open">
      <svg viewBox="0 0 64 64" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="2" strokeLinejoin="round">
        <path d="M8 14a6 6 0 0 1 6-6h28a6 6 0 0 1 6 6v16a6 6 0 0 1-6 6H24l-10 9v-9a6 6 0 0 1-6-6z" />
        <path d="M54 24a5 5 0 0 1 4 5v14a5 5 0 0 1-5 5v8l-9-8H31" />
      </svg>
      <p className="title">Choose a visitor</p>
      <p>
        Read along, answer, or speak first. With the keyboard: <kbd>/</kbd> searches, <kbd>↑</kbd> <kbd>↓</kbd>{' '}
        choose, <kbd>Enter</kbd> opens, <kbd>Esc</kbd> goes back.
      </p>
    </div>
  );
}
