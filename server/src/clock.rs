//! The one module that reads a clock. Everything else takes the time as an argument.
//!
//! Two kinds of time, never mixed: [`Clock::now`] only ever goes forward and drives timers and
//! rates; [`Clock::wall`] is what people and tokens call the time.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// Where the server reads the time. Cheap to copy.
///
/// The monotonic half is tokio's clock, so a test that pauses the runtime's time moves it too.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// A clock whose monotonic time is zero now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the module that reads the clock"
    )]
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    /// The monotonic time since the start.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the module that reads the clock"
    )]
    pub fn now(&self) -> Duration {
        Instant::now().duration_since(self.started)
    }

    /// The instant to hand to tokio's timers for a monotonic time.
    pub fn instant(&self, at: Duration) -> Instant {
        self.started + at
    }

    /// The wall-clock time.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the module that reads the clock"
    )]
    pub fn wall(&self) -> WallTime {
        WallTime(SystemTime::now())
    }
}

/// A moment of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(SystemTime);

impl WallTime {
    /// The moment `seconds` after the Unix epoch.
    pub fn from_unix_seconds(seconds: u64) -> Self {
        Self(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    /// Seconds since the Unix epoch; zero for a clock that is set before it.
    pub fn unix_seconds(self) -> u64 {
        self.0
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    }

    /// The moment `millis` milliseconds after the Unix epoch.
    pub fn from_unix_millis(millis: u64) -> Self {
        Self(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
    }

    /// Milliseconds since the Unix epoch; zero for a clock that is set before it.
    pub fn unix_millis(self) -> u64 {
        let since = self.0.duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, millis)
    }

    /// The moment that is so much earlier, at most back to the Unix epoch.
    #[must_use]
    pub fn before(self, elapsed: Duration) -> Self {
        let since = self.0.duration_since(SystemTime::UNIX_EPOCH);
        Self(SystemTime::UNIX_EPOCH + since.unwrap_or_default().saturating_sub(elapsed))
    }

    /// Reads what [`to_iso`](Self::to_iso) writes.
    pub fn from_iso(text: &str) -> Option<Self> {
        humantime::parse_rfc3339(text).ok().map(Self)
    }

    /// ISO-8601 in UTC with milliseconds, as in `2024-01-15T10:30:00.000Z`.
    pub fn to_iso(self) -> String {
        humantime::format_rfc3339_millis(self.0).to_string()
    }
}

/// Whole milliseconds of a duration.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Duration, WallTime};

    #[test]
    fn a_moment_is_written_with_milliseconds_even_when_they_are_zero() {
        let moment = WallTime::from_unix_seconds(1_705_314_600);
        assert_eq!(moment.to_iso(), "2024-01-15T10:30:00.000Z");
        assert_eq!(moment.unix_seconds(), 1_705_314_600);
        assert_eq!(moment.unix_millis(), 1_705_314_600_000);
        assert_eq!(WallTime::from_iso(&moment.to_iso()), Some(moment));
        assert_eq!(moment.before(Duration::MAX).unix_millis(), 0);
        let moment = WallTime::from_unix_millis(1_705_314_600_250);
        assert_eq!(moment.to_iso(), "2024-01-15T10:30:00.250Z");
        assert_eq!(moment.unix_millis(), 1_705_314_600_250);
    }

    #[test]
    fn nothing_is_before_the_epoch() {
        let moment = WallTime::from_unix_millis(1_500);
        assert_eq!(
            moment.before(Duration::from_millis(500)).unix_millis(),
            1_000
        );
        let epoch = WallTime::from_unix_seconds(0);
        assert_eq!(moment.before(Duration::from_secs(2)), epoch);
        assert_eq!(moment.before(Duration::MAX), epoch);
    }
}
