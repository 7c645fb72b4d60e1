//! The one place that reads the clock. Everything else is handed milliseconds since the server's start.

use std::time::Duration;

use tokio::time::Instant;

/// Milliseconds since a [`Clock`] was made.
pub(crate) type Millis = u64;

/// A monotonic clock that starts at 0. It follows tokio's, so that tests can stop it.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the crate's clock")]
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the crate's clock")]
    pub(crate) fn now(&self) -> Millis {
        millis(Instant::now().saturating_duration_since(self.start))
    }

    /// Returns at `at`, or at once if that has passed.
    pub(crate) async fn sleep_until(&self, at: Millis) {
        tokio::time::sleep_until(self.start + Duration::from_millis(at)).await;
    }
}

/// Whole milliseconds of a duration.
pub(crate) fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
