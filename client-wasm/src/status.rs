//! How a connection stands, in the one vocabulary that applications see.
//!
//! It is derived from the state machines whenever it is asked for, and stored nowhere:
//! [`Connection::status`](crate::engine::Connection::status) for a socket alone,
//! [`Sync::status`](crate::sync::Sync::status) for a store, which can also poll.

/// Where a connection stands. The numbers pass to JavaScript, so the order is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing is under way, and nothing will be by itself: not started, or the page is being left.
    Idle,
    /// An attempt is under way.
    Connecting,
    /// Following changes as they happen.
    Live,
    /// There is no socket, and lists come over HTTP.
    Polling,
    /// The last attempt failed; the next one has its time.
    Backoff,
    /// Over: refused for good, or ended by the application.
    Closed,
}
