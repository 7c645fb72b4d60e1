//! Pauses between attempts, so that many who lost the same Redis do not come back together.

use std::fmt;
use std::time::Duration;

use uuid::Uuid;

/// The shortest pause, but for the first attempt after a failure, which is made at once.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_millis(20);

/// Pauses at random up to a bound that doubles each time.
#[derive(Debug)]
pub(super) struct Retry {
    longest: Duration,
    bound: Duration,
    failed_before: bool,
}

impl Retry {
    pub(super) fn new(longest: Duration) -> Self {
        Self {
            longest,
            bound: Duration::ZERO,
            failed_before: false,
        }
    }

    /// It goes well again: the next failure is logged, and tried again at once if what had begun
    /// lasted for longer than any pause. Otherwise whatever breaks at once would be begun without end.
    pub(super) fn succeeded(&mut self, lasted: Duration) {
        self.failed_before = false;
        if lasted > self.longest {
            self.bound = Duration::ZERO;
        }
    }

    /// Waits before the next attempt.
    pub(super) async fn wait(&mut self, why: &(dyn fmt::Display + Sync)) {
        // Once in a row of failures, not for each of them.
        if !std::mem::replace(&mut self.failed_before, true) {
            tracing::error!(%why, "cannot connect to Redis; trying on");
        }
        self.pause().await;
    }

    /// Waits, and says nothing.
    pub(super) async fn pause(&mut self) {
        tokio::time::sleep(self.next_pause()).await;
    }

    /// How long the next pause is.
    pub(super) fn next_pause(&mut self) -> Duration {
        self.next(chance())
    }

    fn next(&mut self, chance: f64) -> Duration {
        if self.bound.is_zero() {
            self.bound = SHORTEST_PAUSE;
            return Duration::ZERO;
        }
        let pause = self.bound.mul_f64(chance).max(SHORTEST_PAUSE);
        self.bound = (self.bound * 2).min(self.longest);
        pause
    }
}

/// A number from 0 to 1, at random.
pub(crate) fn chance() -> f64 {
    let [a, b, c, d, ..] = Uuid::new_v4().into_bytes();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(retry: &mut Retry, chance: f64) -> u128 {
        retry.next(chance).as_millis()
    }

    #[test]
    fn only_the_first_attempt_is_made_at_once_and_the_pauses_are_bounded() {
        let mut retry = Retry::new(Duration::from_millis(100));
        let latest: Vec<_> = (0..6).map(|_| millis(&mut retry, 1.0)).collect();
        assert_eq!(latest, [0, 20, 40, 80, 100, 100]);
        assert_eq!(millis(&mut retry, 0.5), 50);
        assert_eq!(millis(&mut retry, 0.0), 20);
    }

    #[test]
    fn what_breaks_at_once_is_not_begun_without_a_pause() {
        let longest = Duration::from_millis(100);
        let mut retry = Retry::new(longest);
        assert_eq!(millis(&mut retry, 1.0), 0);
        retry.succeeded(Duration::from_millis(1));
        assert_eq!(millis(&mut retry, 1.0), 20);
        retry.succeeded(longest * 2);
        assert_eq!(millis(&mut retry, 1.0), 0);
    }
}
